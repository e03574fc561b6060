#!/usr/bin/env bash
# A whole HireNet on this machine to look at: private broker and database, two workers, the sample interview, the view.
# Run it through `make up` and `make down`. Everything lies in .up/: data, logs, and `env`, which a shell may source to use
# the program and psql on what runs.
set -euo pipefail
cd "$(dirname "$0")/.."

up=$PWD/.up
workers=(1 2)
: "${HIRENET_BIN:=$PWD/target/release/hirenet}"

say() { printf 'up: %s\n' "$*"; }

# The process id of worker N, where it lives and is ours.
worker_pid() {
    local pid
    pid=$(cat "$up/worker-$1.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && grep -qzF hirenet "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}

# Runs a statement as the superuser of the private server.
sql() { psql "$database" -qAtX -v ON_ERROR_STOP=1 -c "$1"; }

prepare_database() {
    database=$HIRENET_TEST_POSTGRES
    if [ -z "$(sql "select 1 from pg_database where datname = 'hirenet'")" ]; then
        sql "create database hirenet"
    fi
    database=${HIRENET_TEST_POSTGRES%/*}/hirenet
    HIRENET_STORE__URL=$database "$HIRENET_BIN" setup
    # Logins of this private server: a worker's, and a recruiter's of the sample's tenant.
    sql "do \$\$ begin
        create role up_worker login in role hirenet_worker;
        create role up_recruiter login in role hirenet_recruiter;
    exception when duplicate_object then null; end \$\$;
    alter role up_worker password '$password';
    alter role up_recruiter password '$password';
    insert into hirenet.tenants (tenant) values ('sample') on conflict do nothing;
    insert into hirenet.recruiter_logins (login, tenant) values ('up_recruiter', 'sample') on conflict do nothing"
}

write_environment() {
    local server=${HIRENET_TEST_POSTGRES#*@}
    server=${server%/*}
    (
        umask 077
        cat >"$up/env" <<ENV
export HIRENET_QUEUE__URL=$HIRENET_TEST_AMQP
export HIRENET_STORE__URL=postgres://up_worker:$password@$server/hirenet
export HIRENET_FETCH__ALLOWED_PREFIXES='["file://$PWD/samples/"]'
export RECRUITER=postgres://up_recruiter:$password@$server/hirenet
ENV
    )
}

start_workers() {
    local n
    for n in "${workers[@]}"; do
        worker_pid "$n" >/dev/null && continue
        setsid "$HIRENET_BIN" --log-format json work </dev/null >>"$up/worker-$n.log" 2>&1 &
        echo $! >"$up/worker-$n.pid"
    done
}

stop_workers() {
    local n pid
    for n in "${workers[@]}"; do
        pid=$(worker_pid "$n") && kill -TERM "$pid" 2>/dev/null || true
    done
    for n in "${workers[@]}"; do
        # A worker hands back what it cannot finish within its grace time, then ends.
        while pid=$(worker_pid "$n"); do sleep 0.1; done
        rm -f "$up/worker-$n.pid"
    done
}

# Waits until the sample has a result, a worker has ended, or two minutes have passed.
await_result() {
    local status deadline=$((SECONDS + 120))
    while [ $SECONDS -lt $deadline ]; do
        status=$(psql "$RECRUITER" -qAtX -c "select status from hirenet.interview_results where interview_id = 'sample-interview'")
        case $status in '' | queued | working) sleep 0.3 ;; *) return 0 ;; esac
        if ! worker_pid 1 >/dev/null || ! worker_pid 2 >/dev/null; then
            tail -n 5 "$up"/worker-*.log >&2
            say "a worker has ended; its log is in .up/"
            return 1
        fi
    done
    say "there is no result after two minutes; the logs are in .up/"
    return 1
}

start() {
    mkdir -p "$up"
    say "starting RabbitMQ and PostgreSQL in .up/services"
    eval "$(scripts/services.sh start "$up/services")"
    password=${HIRENET_TEST_POSTGRES#*//hirenet:}
    password=${password%%@*}
    write_environment
    # shellcheck source=/dev/null
    . "$up/env"
    prepare_database
    say "starting two workers"
    start_workers
    say "submitting samples/interview.json"
    "$HIRENET_BIN" submit samples/interview.json
    await_result
    "$HIRENET_BIN" results
    say "the view, as a recruiter sees it:"
    psql "$RECRUITER" -X -P pager=off -x -c \
        "select interview_id, status, score, verbal_score, vocal_score, visual_score, rank, comparable, bundle_kind, review
         from hirenet.interview_results"
    say "it runs until \`make down\`; \`. .up/env\` makes it yours: hirenet status, hirenet results, psql \"\$RECRUITER\""
}

case ${1:-} in
up) start ;;
down)
    [ -d "$up" ] || exit 0
    stop_workers
    scripts/services.sh stop "$up/services"
    say "stopped; the data is kept in .up/"
    ;;
*)
    echo "usage: up.sh up|down" >&2
    exit 2
    ;;
esac
