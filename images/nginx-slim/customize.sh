#!/bin/sh
# Makes Debian's nginx behave as the image k8s.gcr.io/nginx-slim does: /usr/share/nginx/html on port 80, logs on
# standard output and error. $1 is the root file system.
set -eu

# nginx-common brings iproute2 for its maintainer scripts. busybox has an `ip`, too; the libraries were for these.
cd "$1"
rm -f bin/ip bin/ss sbin/bridge sbin/dcb sbin/devlink sbin/ip sbin/rtacct sbin/rtmon sbin/tc sbin/tipc sbin/vdpa \
  usr/sbin/arpd usr/sbin/genl usr/bin/lnstat usr/bin/nstat usr/bin/rdma usr/bin/routef usr/bin/routel
rm -rf usr/lib/tc etc/iproute2
for library in libdb-5 libbpf libgssapi_krb5 libkrb5 libkrb5support libk5crypto libtirpc libelf; do
  find lib/ usr/lib/ -name "$library*.so*" -delete
done

# The extracted packages have had no maintainer script run: nginx's user is www-data, as in the original.
mkdir -p "$1/var/lib/nginx" "$1/var/log/nginx"
rm -rf "$1/etc/nginx"
mkdir -p "$1/etc/nginx"
ln -s /dev/stdout "$1/var/log/nginx/access.log"
ln -s /dev/stderr "$1/var/log/nginx/error.log"
cat > "$1/etc/nginx/mime.types" <<'TYPES'
types {
    text/html html htm;
    text/css css;
    text/plain txt;
    text/xml xml;
    text/javascript js;
    application/json json;
    image/png png;
    image/jpeg jpg jpeg;
    image/gif gif;
    image/svg+xml svg;
    image/x-icon ico;
}
TYPES
cat > "$1/etc/nginx/nginx.conf" <<'CONF'
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log warn;
events { worker_connections 1024; }
http {
    include mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    sendfile on;
    server {
        listen 80;
        root /usr/share/nginx/html;
        index index.html index.htm;
    }
}
CONF
cat > "$1/usr/share/nginx/html/index.html" <<'PAGE'
<!DOCTYPE html>
<title>Welcome to nginx!</title>
<h1>Welcome to nginx!</h1>
PAGE
