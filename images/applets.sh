#!/bin/sh
# Puts busybox under each of its names that no real program has. $1 is the root file system.
set -eu

cd "$1"
for applet in $(chroot . /bin/busybox --list); do
  for directory in bin sbin usr/bin usr/sbin; do
    [ -e "$directory/$applet" ] && continue 2
  done
  ln -s /bin/busybox "bin/$applet"
done
