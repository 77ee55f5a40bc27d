#!/usr/bin/env bash
# A RabbitMQ node of one's own, on loopback and private ports; the system's service is never started.
#
#   rabbitmq.sh start DIR [PORT]   install RabbitMQ where it is missing (as root, with apt), start the node
#                                  that lives in DIR, print its AMQP URL
#   rabbitmq.sh stop DIR           end it in good order (its data stays)
#   rabbitmq.sh kill DIR           end it as a loss of power does
#   rabbitmq.sh status DIR         print the URL; exit code 1 where it does not run
#   rabbitmq.sh ctl DIR WORD...    rabbitmqctl on it
#
# With OWNER=PID in the environment the node stops when that process is gone.
# RABBITMQ=PATH in the environment names another installation than the system's: the folder of a generic build
# (it has sbin/rabbitmq-server, and Erlang is the system's), or the root of another Debian, as debootstrap makes
# it (as root; the node then runs in it, with the Erlang that is there).
# Where DIR/tls holds ca.pem, server.cert.pem and server.key.pem it listens with TLS too, asks for a client
# certificate, and DIR/tls/port tells the port.
set -euo pipefail

usage() { sed -n '4,10s/^#  \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "rabbitmq.sh: $*" >&2; exit 1; }

[ $# -ge 2 ] || usage
action=$1
if [ "$action" = start ]; then mkdir -p "$2"; fi
# What was taken away has ended already.
if [ "$action" = stop ] && [ ! -d "$2" ]; then exit 0; fi
[ -d "$2" ] || fail "there is no folder $2: start it first"
dir=$(cd "$2" && pwd)
shift 2

server=/usr/lib/rabbitmq/bin
root=
if [ -n "${RABBITMQ:-}" ]; then
    if [ -x "$RABBITMQ$server/rabbitmq-server" ]; then
        root=$(cd "$RABBITMQ" && pwd)
        [ "$(id -u)" = 0 ] || fail "only root can run what is in $root"
    elif [ -x "$RABBITMQ/sbin/rabbitmq-server" ]; then
        server=$(cd "$RABBITMQ/sbin" && pwd)
    else
        fail "RABBITMQ=$RABBITMQ holds no RabbitMQ"
    fi
fi

# Becomes a command of the installation. In another root it sees DIR by its own name; the mounts end with it.
become() {
    [ -n "$root" ] || exec "$@"
    # shellcheck disable=SC2016
    exec unshare --mount sh -ec '
        root=$1 dir=$2
        shift 2
        mkdir -p "$root$dir"
        mount --bind "$dir" "$root$dir"
        mount --bind /proc "$root/proc"
        mount --bind /dev "$root/dev"
        exec chroot "$root" "$@"' sh "$root" "$dir" "$@"
}

install_server() {
    [ -x "$root$server/rabbitmq-server" ] && return
    [ "$(id -u)" = 0 ] || fail "RabbitMQ is not installed; as root: apt-get install rabbitmq-server"
    command -v apt-get >/dev/null || fail "RabbitMQ is not installed, and there is no apt-get"
    # Debian asks this file whether a service may start when its package is installed.
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=yes
    fi
    local apt=(apt-get -qq -o DPkg::Lock::Timeout=300) code=0
    {
        "${apt[@]}" update || true
        DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends rabbitmq-server
    } >"$dir/install.log" 2>&1 || code=$?
    [ -z "$made" ] || rm -f "$policy"
    [ "$code" = 0 ] || fail "apt-get could not install rabbitmq-server: $dir/install.log"
}

open_port() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 12000))
        open_port "$port" || { echo "$port"; return; }
    done
    fail "no free port"
}

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
pid_of() { cat "$1"; }

configure() {
    umask 077
    mkdir -p "$dir/home" "$dir/data" "$dir/log"
    if [ ! -s "$dir/ports" ]; then
        echo "amqp=${1:-$(free_port)} tls=$(free_port) epmd=$(free_port) dist=$(free_port)" >"$dir/ports"
        random | head -c 40 >"$dir/home/.erlang.cookie"
        random | head -c 24 >"$dir/password"
        chmod 400 "$dir/home/.erlang.cookie"
    fi
    read_ports
    cat >"$dir/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$amqp
default_user = pakkehjem
default_pass = $(cat "$dir/password")
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 64000000
max_message_size = 16777216
log.console = false
log.file.level = info
CONF
    if [ -s "$dir/tls/ca.pem" ]; then
        echo "$tls" >"$dir/tls/port"
        cat >>"$dir/rabbitmq.conf" <<CONF
listeners.ssl.1 = 127.0.0.1:$tls
ssl_options.cacertfile = $dir/tls/ca.pem
ssl_options.certfile = $dir/tls/server.cert.pem
ssl_options.keyfile = $dir/tls/server.key.pem
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
CONF
    fi
    echo '[].' >"$dir/enabled_plugins"
}

random() { od -An -N64 -tx1 /dev/urandom | tr -d ' \n'; }

read_ports() {
    [ -s "$dir/ports" ] || fail "$dir holds no node"
    eval "$(cat "$dir/ports")"
}

# Everything that RabbitMQ and Erlang take from the environment; nothing of the system's own configuration.
environment() {
    read_ports
    export HOME="$dir/home" ERL_EPMD_PORT=$epmd ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_NODENAME=pakkehjem@localhost \
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf" \
        RABBITMQ_ADVANCED_CONFIG_FILE="$dir/advanced.config" RABBITMQ_CONFIG_FILES="$dir/conf.d" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$dir/enabled_plugins" RABBITMQ_MNESIA_BASE="$dir/data" \
        RABBITMQ_LOG_BASE="$dir/log" RABBITMQ_PID_FILE="$dir/node.pid" RABBITMQ_DIST_PORT=$dist \
        RABBITMQ_CTL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 1:1" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
    unset NOTIFY_SOCKET
}

url() { echo "amqp://pakkehjem:$(cat "$dir/password")@127.0.0.1:$amqp/"; }

running() { alive "$dir/node.pid" && open_port "$amqp"; }

start() {
    install_server
    configure "${1:-}"
    environment
    if ! running; then
        cd "$dir"
        if ! alive "$dir/epmd.pid"; then
            (become setsid epmd -port "$epmd" -address 127.0.0.1) </dev/null >/dev/null 2>&1 &
            echo $! >"$dir/epmd.pid"
            disown
        fi
        rm -f "$dir/node.pid"
        # -detached gives the node a session of its own: Ctrl-C at a terminal is not for it.
        (become "$server/rabbitmq-server" -detached) </dev/null >"$dir/log/start.log" 2>&1
        for _ in $(seq 600); do
            running && break
            sleep 0.1
        done
        running || { stop; fail "the node did not start: $dir/log"; }
    fi
    [ -z "${OWNER:-}" ] || watch_owner
    url
}

watch_owner() {
    alive "$dir/watch.pid" && return
    setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 0.5; done; exec bash "$2" stop "$3"' \
        watch "$OWNER" "$script" "$dir" </dev/null >/dev/null 2>&1 &
    echo $! >"$dir/watch.pid"
    disown
}

# end SIGNAL: the node, and when it is gone its name server.
end() {
    if alive "$dir/node.pid"; then
        local pid
        pid=$(pid_of "$dir/node.pid")
        kill "-$1" "$pid" 2>/dev/null || true
        for _ in $(seq 300); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$dir/node.pid"
    if alive "$dir/epmd.pid"; then kill "$(pid_of "$dir/epmd.pid")" 2>/dev/null || true; fi
    rm -f "$dir/epmd.pid"
}

stop() { end TERM; }

script=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "${BASH_SOURCE[0]}")
case $action in
    start) start "$@" ;;
    stop) stop ;;
    kill) end KILL ;;
    status) read_ports; running || exit 1; url ;;
    ctl) environment; become "$server/rabbitmqctl" --silent "$@" ;;
    *) usage ;;
esac
