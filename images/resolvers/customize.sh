#!/bin/sh
# Adds one program twice, linked with glibc and with musl, whose resolvers walk search paths and take answers differently.
# Needs Debian's musl-tools on the machine that builds. $1 is the root file system.
set -eu

here=$(dirname "$0")
command -v musl-gcc > /dev/null || { echo 'musl-gcc is not installed: run `apt-get install musl-tools`' >&2; exit 1; }
gcc -O1 -o "$1/usr/bin/getaddrinfo-glibc" "$here/getaddrinfo.c"
musl-gcc -O1 -static -o "$1/usr/bin/getaddrinfo-musl" "$here/getaddrinfo.c"
