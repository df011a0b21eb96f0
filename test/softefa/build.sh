#!/bin/sh
# Compiles the device into a folder: build.sh FOLDER. Needs a C compiler and libibverbs' headers (Debian: libibverbs-dev).
set -eu
folder=$1
sources=$(dirname "$0")
mkdir -p "$folder"
# one library with three names: that is what the dynamic loader finds for each of the three, and maps once
${CC:-cc} -std=gnu11 -O2 -g -Wall -Wextra -Werror -fPIC -fvisibility=hidden -pthread -shared \
  -Wl,--version-script="$sources/exports.map" -Wl,-soname,libibverbs.so.1 \
  -o "$folder/libibverbs.so.1.new" "$sources"/*.c
mv "$folder/libibverbs.so.1.new" "$folder/libibverbs.so.1"
ln -sf libibverbs.so.1 "$folder/libefa.so.1"
ln -sf libibverbs.so.1 "$folder/librdmacm.so.1"
