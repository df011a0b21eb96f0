// The command line of every program here; benchmarks/contenders/options.mjs has the same.
#pragma once

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SIZES 32

struct options {
  int is_client;             // --end client | server: which of the two processes this is
  const char* provider;      // --provider
  const char* domain;        // --domain
  size_t sizes[MOST_SIZES];  // --sizes 64,1024: bytes of a message, one phase each
  int size_count;
  size_t largest;    // of the sizes
  double seconds;    // --seconds: how long a phase counts
  long messages;     // --messages: how many a program without a clock moves
  long window;       // --window: messages in flight
  const char* what;  // --what: which of the things that a program can measure
};

static inline void parse_sizes(struct options* options, char* list) {
  for (char* item = strtok(list, ","); item; item = strtok(NULL, ",")) {
    if (options->size_count == MOST_SIZES) {
      fprintf(stderr, "--sizes: at most %d\n", MOST_SIZES);
      exit(2);
    }
    size_t size = strtoull(item, NULL, 10);
    if (size == 0) {
      fprintf(stderr, "--sizes: expected numbers of bytes, not '%s'\n", item);
      exit(2);
    }
    options->sizes[options->size_count++] = size;
    if (size > options->largest) options->largest = size;
  }
}

static inline struct options parse_options(int argc, char** argv) {
  static const struct option known[] = {
      {"end", required_argument, NULL, 'e'},
      {"provider", required_argument, NULL, 'p'},
      {"domain", required_argument, NULL, 'd'},
      {"sizes", required_argument, NULL, 's'},
      {"seconds", required_argument, NULL, 't'},
      {"window", required_argument, NULL, 'w'},
      {"what", required_argument, NULL, 'x'},
      {"messages", required_argument, NULL, 'm'},
      {NULL, 0, NULL, 0},
  };
  struct options options = {.is_client = 1, .provider = "shm", .seconds = 0.2, .window = 64, .what = ""};
  int option;
  while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
    if (option == 'e') options.is_client = strcmp(optarg, "client") == 0;
    if (option == 'p') options.provider = optarg;
    if (option == 'd') options.domain = optarg;
    if (option == 's') parse_sizes(&options, optarg);
    if (option == 't') options.seconds = atof(optarg);
    if (option == 'm') options.messages = atol(optarg);
    if (option == 'w') options.window = atol(optarg);
    if (option == 'x') options.what = optarg;
    if (option == '?') exit(2);
  }
  if (options.window < 1 || options.window > 1024) {
    fprintf(stderr, "--window: expected 1 to 1024\n");
    exit(2);
  }
  return options;
}
