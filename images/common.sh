#!/bin/sh
# What every image of a few Debian packages needs. The packages are only extracted: no maintainer script is run, so
# there are no users, no shell, and nothing below /run. $1 is the root file system.
set -eu

# Only what is run: no documentation, translations, package lists or files for other init systems.
cd "$1"
rm -rf usr/share/doc usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/bash-completion \
  usr/share/vim usr/share/perl5 usr/share/debconf usr/share/initramfs-tools usr/share/apport usr/include \
  usr/lib/*/gconv usr/lib/*/perl* var/lib/apt var/lib/dpkg var/cache etc/apt etc/dpkg etc/init.d etc/logrotate.d \
  etc/ufw lib/systemd usr/lib/systemd usr/bin/localedef sbin/ldconfig usr/lib/locale etc/hostname etc/resolv.conf

# Where all programs lie below /usr, the packages count on these links being there.
for directory in bin sbin lib lib64; do
  [ -e "$directory" ] || { mkdir -p "usr/$directory" && ln -s "usr/$directory" "$directory"; }
done
mkdir -p run var tmp root proc sys dev etc usr/local/bin
chmod 1777 tmp
ln -sfn /run var/run
cat > etc/passwd <<'USERS'
root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
USERS
cat > etc/group <<'GROUPS'
root:x:0:
tty:x:5:
www-data:x:33:
nogroup:x:65534:
GROUPS
# Names are asked of DNS after /etc/hosts.
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > etc/nsswitch.conf
