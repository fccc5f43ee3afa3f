#!/bin/sh
# redis-tools holds the server, too, under one of its other names; the package redis-server would bring Perl along.
# $1 is the root file system.
set -eu

ln -s redis-check-rdb "$1/usr/bin/redis-server"
rm -f "$1/usr/bin/redis-benchmark"
