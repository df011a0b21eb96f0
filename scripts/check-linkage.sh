#!/bin/sh
# libfabric is opened at run time, so that the addon loads without it and a process holds only one:
# no build of the addon may name it (readelf(1): NEEDED).
status=0
for addon in build/dev/Release/node_libfabric.node build/gyp/Release/node_libfabric.node \
  prebuilds/*/*.node; do
  if ! needed=$(readelf -d "$addon" | grep NEEDED); then
    echo "$addon cannot be read" >&2
    status=1
  elif echo "$needed" | grep -q libfabric; then
    echo "$addon is linked with libfabric" >&2
    status=1
  else
    echo "$addon is not linked with libfabric"
  fi
done
exit $status
