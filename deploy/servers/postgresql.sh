#!/bin/sh
# A PostgreSQL server of one's own for tests and trials: data, socket and port are private, and no cluster of
# the system is touched. Debian 12 and Ubuntu; as root (the server then runs as `postgres`) or as any user.
#
#   postgresql.sh start DIR    start it (installed if missing, made if DIR is new); prints its URL
#   postgresql.sh stop DIR     stop it; the data stay
#   postgresql.sh status DIR   print its URL; exit code 1 where it does not run
set -eu

usage() {
    sed -n '5,7s/^# *//p' "$0" >&2
    exit 2
}

fail() {
    echo "postgresql.sh: $*" >&2
    exit 1
}

# The folder of the server's binaries, the newest if there are several; nothing where there is none.
find_binaries() {
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -V -r); do
        if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && [ -x "$folder/postgres" ]; then
            echo "$folder"
            return
        fi
    done
    if command -v pg_ctl >/dev/null 2>&1 && command -v initdb >/dev/null 2>&1; then
        dirname "$(readlink -f "$(command -v pg_ctl)")"
    fi
}

install_server() {
    [ "$(id -u)" = 0 ] || fail "no PostgreSQL server is installed; as root: apt-get install postgresql"
    command -v apt-get >/dev/null 2>&1 || fail "no PostgreSQL server is installed, and there is no apt-get"
    # Without this the package makes a cluster of the system, and starts it.
    mkdir -p /etc/postgresql-common
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends postgresql >&2
}

# Runs a command as the user that owns the data: PostgreSQL refuses to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec runuser -u "$owner" -- "$@")
    else
        "$@"
    fi
}

running() {
    [ -f "$data/PG_VERSION" ] && as_owner "$bin/pg_ctl" status -D "$data" >/dev/null 2>&1
}

make_cluster() {
    umask 077
    # Only letters and digits: it stands in a URL.
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$dir/password"
    if [ "$(id -u)" = 0 ]; then
        chown "$owner" "$dir" "$dir/password"
    fi
    as_owner "$bin/initdb" --pgdata="$data" --username=pakkehjem --pwfile="$dir/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 ||
        fail "initdb failed: see $dir/initdb.log"
    cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
max_wal_size = 512MB
logging_collector = off
CONF
}

# A port that is taken shows when the server starts: then another one is tried.
start_server() {
    for attempt in 1 2 3 4 5 6 7 8; do
        port=$(od -An -N2 -tu2 /dev/urandom | tr -d ' \n')
        port=$((20000 + port % 12000))
        # A restart keeps the port that clients know.
        if [ "$attempt" = 1 ] && [ -f "$dir/port" ]; then
            port=$(cat "$dir/port")
        fi
        if as_owner "$bin/pg_ctl" start -D "$data" -w -t 60 -l "$data/server.log" -o "-p $port" >/dev/null 2>&1; then
            echo "$port" >"$dir/port"
            return
        fi
    done
    fail "the server did not start: see $data/server.log"
}

print_url() {
    echo "postgresql://pakkehjem:$(cat "$dir/password")@127.0.0.1:$(cat "$dir/port")/postgres"
}

[ $# = 2 ] || usage
action=$1
dir=$2
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
data=$dir/data
owner=postgres

bin=$(find_binaries)
case $action in
start)
    if [ -z "$bin" ]; then
        install_server
        bin=$(find_binaries)
        [ -n "$bin" ] || fail "PostgreSQL was installed, but its binaries are not found"
    fi
    if [ "$(id -u)" = 0 ] && ! id "$owner" >/dev/null 2>&1; then
        useradd --system --no-create-home --home-dir / --shell /usr/sbin/nologin "$owner"
    fi
    mkdir -p "$dir"
    if ! running; then
        [ -f "$data/PG_VERSION" ] || make_cluster
        start_server
    fi
    print_url
    ;;
stop)
    if [ -n "$bin" ] && running; then
        as_owner "$bin/pg_ctl" stop -D "$data" -w -m fast >/dev/null
    fi
    ;;
status)
    if [ -z "$bin" ] || ! running; then
        echo "not running"
        exit 1
    fi
    print_url
    ;;
*)
    usage
    ;;
esac
