#!/bin/sh
# Makes the root file system of an image from Debian or Ubuntu packages: build.sh RECIPE OUT.tar
# A recipe is a directory here: `packages` names what goes in, `customize.sh` (if there) finishes it, `image.json` says what
# the image is called and runs. The packages come from wherever this machine's apt gets its own. The same packages
# give the same archive, byte for byte.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
recipe=$here/$1
out=$2
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:?this distribution names no suite in /etc/os-release}")
command -v mmdebstrap > /dev/null || { echo 'mmdebstrap is not installed: run `apt-get install mmdebstrap`' >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$work"
mmdebstrap --quiet --variant=extract --include="$(paste -sd, "$recipe/packages")" --skip=output/dev \
  "$suite" "$work/root"
sh "$here/common.sh" "$work/root"
[ ! -e "$recipe/customize.sh" ] || sh "$recipe/customize.sh" "$work/root"
sh "$here/applets.sh" "$work/root"
tar --create --file "$out" --directory "$work/root" --sort=name --mtime=@0 --numeric-owner --format=gnu \
  --exclude='./dev/*' .
