#!/usr/bin/env bash
# A private RabbitMQ and a private PostgreSQL in one folder, for tests, benchmarks and a first look: never for production.
#
#   services.sh start DIR                 starts what does not run, makes what is missing; prints the variables of `env`
#   services.sh stop DIR                  stops everything; the data stays, and a later start finds it
#   services.sh env DIR                   prints `export HIRENET_TEST_AMQP=...` and `export HIRENET_TEST_POSTGRES=...`
#   services.sh kill-broker DIR           kill -9 of the broker
#   services.sh flush-broker DIR          puts what it knows of its queues on the disk, which it does by itself within seconds
#   services.sh start-broker DIR          starts it again on the same port, with its data
#   services.sh restart-postgres DIR [immediate|fast]     the same for the database; immediate is a crash
#   services.sh rabbitmqctl DIR ...       the broker's own tool
#
# Everything lies in DIR: data, logs, cookie, the name server's port, passwords. Ports are free ones on the loopback
# address, kept as long as DIR lives. Several folders can run beside each other. Root and plain users alike may call it;
# PostgreSQL refuses to run as root, so root's database runs as the user `postgres`.
# HIRENET_SERVICES_BROKER_CONF names a file of further broker settings, read when DIR is made.
set -euo pipefail

say() { printf 'services: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

[ $# -ge 2 ] || fail "see the head of scripts/services.sh for its use"
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd -P)
shift 2
case $dir in *[[:space:]]*) fail "the folder's path must have no blanks: $dir" ;; esac

# --- programs -------------------------------------------------------------------------------------------------------

# Debian keeps PostgreSQL's programs out of PATH, and puts a wrapper that changes users before RabbitMQ's.
postgres_bin() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    [ -x "$found" ] || found=$(command -v initdb || true)
    [ -n "$found" ] || fail "PostgreSQL is not installed: run \`make setup\`"
    dirname "$found"
}
broker_bin() {
    local found
    found=$(printf '%s\n' /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server | sort -V | tail -n 1)
    [ -x "$found" ] || found=$(command -v rabbitmq-server || true)
    [ -n "$found" ] || fail "RabbitMQ is not installed: run \`make setup\`"
    dirname "$(readlink -f "$found")"
}

# Runs a command of PostgreSQL: as `postgres` for root, else as the caller.
as_postgres() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
        return
    fi
    local become=(setpriv --reuid postgres --regid postgres --clear-groups)
    # Below a folder that only root may enter (/root/...), postgres may enter as root would.
    if ! "${become[@]}" test -x "$dir/postgres" 2>/dev/null; then
        become+=(--inh-caps +dac_override --ambient-caps +dac_override)
    fi
    (cd / && exec "${become[@]}" "$@")
}

# --- processes ------------------------------------------------------------------------------------------------------

# The process id in DIR/NAME.pid, where that process lives and is ours: a number may have passed to another program.
live_pid() {
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
    # A zombie that nobody has waited for has no command line.
    [ -n "$pid" ] && grep -qzF -- "$2" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}
broker_pid() { live_pid broker "$dir/broker"; }
epmd_pid() { live_pid epmd "$epmd_port"; }
postgres_pid() {
    head -n 1 "$dir/postgres/data/postmaster.pid" >"$dir/postgres.pid" 2>/dev/null || return 1
    live_pid postgres "$dir/postgres/data"
}

# Ends the process that FINDER names: SIGNAL, then kill -9 after 20 seconds.
end() {
    local finder=$1 signal=$2 pid deadline=$((SECONDS + 20))
    pid=$("$finder") || return 0
    kill "-$signal" "$pid" 2>/dev/null || return 0
    while "$finder" >/dev/null; do
        [ $SECONDS -le $deadline ] || kill -KILL "$pid" 2>/dev/null || true
        sleep 0.02
    done
}

# --- ports and passwords --------------------------------------------------------------------------------------------

# N free ports below the range that the kernel hands to outgoing connections, so that none of those takes a port while
# its service is down.
free_ports() {
    python3 - "$1" <<'PYTHON'
import random, socket, sys

held = []
while len(held) < int(sys.argv[1]):
    candidate = socket.socket()
    try:
        candidate.bind(("127.0.0.1", random.randrange(10000, 32000)))
        held.append(candidate)
    except OSError:
        candidate.close()
print(*(s.getsockname()[1] for s in held))
PYTHON
}

# The settings of DIR: made once, and again with other ports where a stopped DIR finds its own taken.
load() {
    [ -f "$dir/settings" ] || return 1
    # shellcheck source=/dev/null
    . "$dir/settings"
}
choose() {
    local ports
    # The database keeps the password that it was made with.
    password=${password:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
    read -r -a ports < <(free_ports 4)
    (
        umask 077
        cat >"$dir/settings" <<SETTINGS
amqp_port=${ports[0]} dist_port=${ports[1]} epmd_port=${ports[2]} postgres_port=${ports[3]}
password=$password
SETTINGS
    )
    load
}

print_environment() {
    load || fail "nothing was started in $dir"
    echo "export HIRENET_TEST_AMQP=amqp://guest:guest@127.0.0.1:$amqp_port/%2f"
    echo "export HIRENET_TEST_POSTGRES=postgres://hirenet:$password@127.0.0.1:$postgres_port/postgres"
    echo "export HIRENET_TEST_SERVICES=$dir"
}

# --- RabbitMQ -------------------------------------------------------------------------------------------------------

# The broker's environment. No file of the system's own broker is read.
broker_environment() {
    export HOME=$dir/broker ERL_EPMD_PORT=$epmd_port ERL_EPMD_ADDRESS=127.0.0.1
    export RABBITMQ_NODENAME=hirenet@localhost RABBITMQ_DIST_PORT=$dist_port
    export RABBITMQ_CONF_ENV_FILE=$dir/broker/none RABBITMQ_CONFIG_FILE=$dir/broker/rabbitmq.conf
    export RABBITMQ_ADVANCED_CONFIG_FILE=$dir/broker/none.config RABBITMQ_ENABLED_PLUGINS_FILE=$dir/broker/plugins
    export RABBITMQ_MNESIA_BASE=$dir/broker/data RABBITMQ_LOG_BASE=$dir/broker/log
    export RABBITMQ_PID_FILE=$dir/broker/data/pid
    # Else a dump lands in the folder of whoever calls.
    export ERL_CRASH_DUMP=$dir/broker/erl_crash.dump
    # Idle schedulers that spin would take the cores from what is tested.
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
    # Makes the script become the broker, so that the process id is the broker's.
    export RUNNING_UNDER_SYSTEMD=true
    unset RABBITMQ_NODE_PORT RABBITMQ_NODE_IP_ADDRESS NOTIFY_SOCKET
}

prepare_broker() {
    mkdir -p "$dir/broker/data" "$dir/broker/log"
    # No plugin: neither management nor its port.
    echo '[].' >"$dir/broker/plugins"
    cat >"$dir/broker/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$amqp_port
log.file.level = warning
log.console = false
disk_free_limit.absolute = 64MB
CONF
    if [ -n "${HIRENET_SERVICES_BROKER_CONF:-}" ]; then
        cp "$HIRENET_SERVICES_BROKER_CONF" "$dir/broker/further.conf"
    fi
    if [ -f "$dir/broker/further.conf" ]; then
        cat "$dir/broker/further.conf" >>"$dir/broker/rabbitmq.conf"
    fi
}

# True where the port answers AMQP's header with a frame of type 1 (connection.start).
speaks_amqp() {
    local first
    exec 3<>"/dev/tcp/127.0.0.1/$amqp_port" || return 1
    printf 'AMQP\x00\x00\x09\x01' >&3
    IFS= read -r -t 2 -n 1 -u 3 first
    exec 3>&-
    [ "$first" = $'\x01' ]
}

start_broker() {
    broker_pid >/dev/null && return 0
    local bin epmd pid deadline=$((SECONDS + 90))
    bin=$(broker_bin)
    if ! epmd_pid >/dev/null; then
        # A name server of its own: the one that Erlang would start is shared and stays behind.
        epmd=$(command -v epmd || true)
        [ -n "$epmd" ] || fail "Erlang's epmd is not installed: run \`make setup\`"
        setsid "$epmd" -address 127.0.0.1 -port "$epmd_port" </dev/null >>"$dir/broker/log/epmd" 2>&1 3>&- 9>&- &
        echo $! >"$dir/epmd.pid"
    fi
    (
        broker_environment
        cd "$dir/broker"
        exec setsid "$bin/rabbitmq-server" </dev/null >>"$dir/broker/log/console" 2>&1 3>&- 9>&-
    ) &
    pid=$!
    echo "$pid" >"$dir/broker.pid"
    until (speaks_amqp) 2>/dev/null; do
        if ! kill -0 "$pid" 2>/dev/null || [ $SECONDS -gt $deadline ]; then
            tail -n 20 "$dir/broker/log/console" >&2
            return 1
        fi
        sleep 0.1
    done
}

stop_broker() {
    end broker_pid TERM
    end epmd_pid TERM
}

rabbitmqctl() (
    broker_environment
    unset RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS
    exec "$(broker_bin)/rabbitmqctl" "$@"
)

# --- PostgreSQL -----------------------------------------------------------------------------------------------------

prepare_postgres() {
    local bin=$1
    mkdir -p "$dir/postgres"
    if [ "$(id -u)" -eq 0 ]; then
        chmod go+x "$dir"
        chown postgres: "$dir/postgres"
    fi
    if [ ! -f "$dir/postgres/data/PG_VERSION" ]; then
        (umask 077 && printf '%s\n' "$password" >"$dir/postgres/password")
        [ "$(id -u)" -ne 0 ] || chown postgres: "$dir/postgres/password"
        as_postgres "$bin/initdb" -D "$dir/postgres/data" -U hirenet --pwfile "$dir/postgres/password" \
            -A scram-sha-256 -E UTF8 --locale C.UTF-8 >"$dir/initdb.log" 2>&1 ||
            { tail -n 20 "$dir/initdb.log" >&2 && fail "the database could not be made"; }
    fi
    # On TCP alone: a socket's path may not be longer than 107 bytes, and DIR's may.
    as_postgres tee "$dir/postgres/data/postgresql.auto.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = ''
max_connections = 200
timezone = 'UTC'
CONF
}

pg_ctl() {
    as_postgres "$(postgres_bin)/pg_ctl" -D "$dir/postgres/data" -l "$dir/postgres/log" -w -t 60 -s "$@" </dev/null 3>&- 9>&- >&2
}

start_postgres() {
    postgres_pid >/dev/null && return 0
    # Left by a crash of the machine: a pid that is not ours any more.
    as_postgres rm -f "$dir/postgres/data/postmaster.pid"
    if ! pg_ctl start; then
        tail -n 20 "$dir/postgres/log" >&2
        return 1
    fi
}

stop_postgres() {
    postgres_pid >/dev/null || return 0
    pg_ctl stop -m fast || pg_ctl stop -m immediate || end postgres_pid KILL
}

# --- actions --------------------------------------------------------------------------------------------------------

stop_all() {
    load || return 0
    stop_broker
    stop_postgres
}

start_all() {
    local bin attempt
    bin=$(postgres_bin)
    broker_bin >/dev/null
    load || choose
    for attempt in 1 2 3; do
        # Where something of DIR runs already, its ports are right.
        broker_pid >/dev/null || prepare_broker
        postgres_pid >/dev/null || prepare_postgres "$bin"
        if start_postgres && start_broker; then
            print_environment
            return
        fi
        stop_all
        [ "$attempt" -eq 3 ] || say "a port was taken, or a service did not start: trying other ports"
        choose
    done
    fail "the services did not start; their logs are in $dir"
}

# Two calls at once for one folder: the second waits.
exec 9>"$dir/lock"
flock 9

case $action in
start) start_all ;;
stop) stop_all ;;
env) print_environment ;;
kill-broker)
    load || fail "nothing was started in $dir"
    end broker_pid KILL
    ;;
flush-broker)
    load || fail "nothing was started in $dir"
    # RabbitMQ 3.10 writes the names of new quorum queues late: a crash just after their declaration can leave one
    # without a leader for good.
    rabbitmqctl eval 'lists:foreach(fun dets:sync/1, dets:all()), mnesia:sync_log().' >&2
    ;;
start-broker)
    load || fail "nothing was started in $dir"
    start_broker || fail "the broker did not start; its logs are in $dir/broker/log"
    ;;
restart-postgres)
    load || fail "nothing was started in $dir"
    pg_ctl restart -m "${1:-fast}"
    ;;
rabbitmqctl)
    load || fail "nothing was started in $dir"
    flock -u 9
    rabbitmqctl "$@"
    ;;
*) fail "unknown action: $action" ;;
esac
