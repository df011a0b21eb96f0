#!/usr/bin/env bash
# Makes build/trixie, a Debian 13 with libfabric 2.1, in which test/libfabric-2.test.ts runs the
# addon that was built against 1.17's headers. Root only, about half a minute; does nothing when it is there.
set -eu
cd "$(dirname "$0")/.."
root=build/trixie

# the test asks for the same file
[ -e "$root/usr/bin/fi_info" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo 'debian-13-root: only root can make a root file system' >&2
  exit 1
fi
if ! command -v mmdebstrap >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=120 update
  apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends mmdebstrap
fi

# finished or not there: a half-made root never has the final name
rm -rf "$root" "$root.new"
mkdir -p build
mmdebstrap --quiet --variant=minbase --include=libfabric1,libfabric-bin trixie "$root.new"
mv "$root.new" "$root"
