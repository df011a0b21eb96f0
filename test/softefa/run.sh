#!/bin/sh
# Runs a program on a host that has software EFA devices: run.sh HOST COMMAND…, where HOST is a number. Hosts of the same
# SOFTEFA_DIR reach each other. SOFTEFA_LIBRARIES is the folder that build.sh made.
set -eu
host=$1
shift
export SOFTEFA_DIR="${SOFTEFA_DIR:-/dev/shm/softefa-$(id -u)}"
export SOFTEFA_HOST="$host"
export SYSFS_PATH="$SOFTEFA_DIR/host-$host"
libraries="${SOFTEFA_LIBRARIES:-$(cd "$(dirname "$0")/../.." && pwd)/build/softefa}"
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$@"
