/*
 * Registered memory: a table per process and device, in which peers look up what they may read and write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "softefa.h"

/* The low half of a key is the index of its entry, the high half changes whenever the entry is used again. */
static uint32_t next_key(uint32_t old, uint32_t index) {
  return ((old + 0x10000) & 0xffff0000) | index;
}

static bool is_free(const struct region* region) {
  return region->length == 0 && region->address == 0;
}

static struct ibv_mr* reg_mr(struct ibv_pd* pd, void* address, size_t length, unsigned int access) {
  struct context* context = context_of(pd->context);
  struct ibv_mr* mr = calloc(1, sizeof(*mr));
  struct region* region = NULL;
  uint32_t index = 0;

  if (mr == NULL || length == 0) {
    free(mr);
    errno = EINVAL;
    return NULL;
  }
  pthread_mutex_lock(&context->lock);
  for (int tries = 0; tries < MAX_MR && region == NULL; tries++) {
    index = context->next_region++ % MAX_MR;
    if (is_free(&context->regions[index])) region = &context->regions[index];
  }
  COUNT_COMMAND(context, region == NULL, reg_mr_err);
  if (region == NULL) {
    pthread_mutex_unlock(&context->lock);
    free(mr);
    errno = ENOMEM;
    return NULL;
  }
  uint32_t key = next_key(region->key, index);
  region->access = access;
  region->pd = ((struct protection_domain*)pd)->number;
  region->address = (uintptr_t)address;
  region->length = length;
  region->key = key;
  pthread_mutex_unlock(&context->lock);
  *mr = (struct ibv_mr){
      .context = pd->context, .pd = pd, .addr = address, .length = length, .handle = index, .lkey = key, .rkey = key};
  return mr;
}

PUBLIC struct ibv_mr* ibv_reg_mr(struct ibv_pd* pd, void* address, size_t length, int access) {
  return reg_mr(pd, address, length, access);
}

PUBLIC struct ibv_mr* ibv_reg_mr_iova2(struct ibv_pd* pd, void* address, size_t length, uint64_t iova,
                                       unsigned int access) {
  if (iova != (uintptr_t)address) {
    errno = EOPNOTSUPP;
    return NULL;
  }
  return reg_mr(pd, address, length, access);
}

PUBLIC int ibv_dereg_mr(struct ibv_mr* mr) {
  struct context* context = context_of(mr->context);
  struct region* region = &context->regions[mr->handle];

  pthread_mutex_lock(&context->lock);
  /* invalid first: a peer that looks now finds another key */
  region->key = next_key(region->key, mr->handle);
  region->address = 0;
  region->length = 0;
  pthread_mutex_unlock(&context->lock);
  free(mr);
  return 0;
}

const struct region* memory_find(const struct region* regions, uint32_t key, uint32_t pd, uint64_t address,
                                 uint64_t length, uint32_t access) {
  const struct region* region = &regions[key % MAX_MR];

  if (region->key != key || region->pd != pd || (region->access & access) != access) return NULL;
  if (address < region->address || length > region->length || address - region->address > region->length - length)
    return NULL;
  return region;
}
