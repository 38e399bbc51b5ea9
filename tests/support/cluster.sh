#!/usr/bin/env bash
# Private PostgreSQL clusters for the demo, the tests and the benchmarks. Debian's own cluster is never touched.
#
#     cluster.sh start NAME [--fast|--durable]    makes it if need be; --durable is the default
#     cluster.sh stop|kill|restart NAME           fast stop; immediate stop; immediate stop and start
#     cluster.sh env NAME                         prints export PGHOST=… PGPORT=… PGUSER=…
#     cluster.sh destroy NAME|--all               stops it and removes its files
#
# PostgreSQL refuses to run as root: for root the server belongs to the system user millrace-dev, which `./dev setup`
# makes; for anybody else to that person. Files are under /var/tmp, because a checkout below /root is closed to that
# user and a socket's path must not exceed 107 bytes. Local connections are trusted: for development only.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(pg_config --bindir 2>/dev/null || true)
[ -x "$bin/initdb" ] || bin=/usr/lib/postgresql/15/bin
base=/var/tmp/millrace-$(id -u)-$(printf %s "$here" | cksum | cut -d' ' -f1)

if [ "${1:-}" = destroy ] && [ ! -d "$base" ]; then exit 0; fi
if [ "$(id -u)" = 0 ]; then
    id millrace-dev >/dev/null 2>&1 || { echo "cluster.sh: no user millrace-dev; run ./dev setup" >&2; exit 1; }
    as_owner() { (cd / && exec setpriv --reuid millrace-dev --regid millrace-dev --clear-groups "$@"); }
    owner=millrace-dev
else
    as_owner() { (cd / && exec "$@"); }
    owner=$(id -un)
fi

usage() { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

running() { as_owner "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; }

make_cluster() {
    install -d -m 711 "$base"
    install -d -m 755 -o "$owner" "$dir" 2>/dev/null || install -d -m 755 "$dir"
    install -d -m 755 -o "$owner" "$dir/s" 2>/dev/null || install -d -m 755 "$dir/s"
    # Whole or not at all: what an interrupted initdb leaves looks like a cluster.
    rm -rf "$data" "$data.new"
    as_owner "$bin/initdb" -D "$data.new" -U postgres -E UTF8 --locale=C.UTF-8 --auth=trust >"$dir.initdb.log" 2>&1 ||
        { cat "$dir.initdb.log" >&2; exit 1; }
    as_owner sh -c "echo \"include 'millrace.conf'\" >>'$data.new/postgresql.conf' && mv '$data.new' '$data'"
}

configure() {
    local durable=on
    [ "$1" = --fast ] && durable=off
    as_owner tee "$data/millrace.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $(free_port)
unix_socket_directories = '$dir/s'
max_connections = 200
max_prepared_transactions = 20
shared_buffers = 256MB
max_wal_size = 4GB
fsync = $durable
synchronous_commit = $durable
full_page_writes = $durable
logging_collector = off
log_min_messages = warning
log_lock_waits = on
track_functions = all
CONF
}

start() {
    running && return 0
    [ -f "$data/PG_VERSION" ] || make_cluster
    for _ in 1 2 3; do  # a port that was free may be taken a moment later
        configure "$1"
        as_owner "$bin/pg_ctl" -D "$data" -l "$data/server.log" -w -t 60 start >/dev/null && return 0
    done
    tail -n 20 "$data/server.log" >&2
    exit 1
}

# The port stays: clients must find the server again.
restart() {
    stop immediate
    as_owner "$bin/pg_ctl" -D "$data" -l "$data/server.log" -w -t 120 start >/dev/null
}

stop() { if running; then as_owner "$bin/pg_ctl" -D "$data" -m "$1" -w -t 120 stop >/dev/null; fi; }

destroy() { stop immediate; rm -rf "$dir" "$dir.initdb.log"; }

verb=${1:-}
name=${2:-}
if [ "$verb" = destroy ] && [ "$name" = --all ]; then
    for found in "$base"/*/; do
        [ -d "$found" ] && "${BASH_SOURCE[0]}" destroy "$(basename "$found")"
    done
    rm -rf "$base"
    exit 0
fi
[[ $name =~ ^[a-z0-9_]{1,20}$ ]] || usage
dir=$base/$name
data=$dir/data

case $verb in
    start) start "${3:---durable}" ;;
    stop) stop fast ;;
    kill) stop immediate ;;
    restart) restart ;;
    destroy) destroy ;;
    env)
        running || { echo "cluster.sh: $name is not running; start it first" >&2; exit 1; }
        echo "export PGHOST=$dir/s"
        echo "export PGPORT=$(sed -n 's/^port = //p' "$data/millrace.conf")"
        echo "export PGUSER=postgres"
        ;;
    *) usage ;;
esac
