#!/usr/bin/env bash
# Checks every statement of workers/store against the schema of migrations/, and writes down what the compiler needs to do
# so without a database: the folder .sqlx. Run it after a change of either, and commit .sqlx with the change.
#
# The database is that of HIRENET_TEST_POSTGRES (a superuser's address), else a private one that is started for it.
# With --check nothing is kept: it fails where .sqlx is not what it would be.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
database=hirenet_queries_$$
server=${HIRENET_TEST_POSTGRES:-}
started=
finish() {
    [ -z "$server" ] || psql -q "$server" -c "drop database if exists $database with (force)" || true
    [ -z "$started" ] || scripts/services.sh stop "$work/services"
    rm -rf "$work"
}
trap finish EXIT

if [ -z "$server" ]; then
    started=yes
    eval "$(scripts/services.sh start "$work/services")"
    server=$HIRENET_TEST_POSTGRES
fi
address=${server%/*}/$database
psql -q "$server" -c "create database $database"
for migration in migrations/*.sql; do
    PGOPTIONS='-c client_min_messages=warning' psql -q -1 -v ON_ERROR_STOP=1 "$address" -f "$migration"
done

mkdir "$work/sqlx"
# The macros write while they expand: the crate must be compiled anew.
touch workers/store/src/lib.rs
# Tables are written with their schema whatever the server's user is called.
qualified="$address?options=-csearch_path%3Dpublic"
SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$work/sqlx DATABASE_URL=$qualified cargo build --release -p hirenet-store

if [ "${1:-}" = --check ]; then
    diff -r "$work/sqlx" .sqlx
else
    rm -rf .sqlx
    mv "$work/sqlx" .sqlx
    echo "$(find .sqlx -name '*.json' | wc -l) statements in .sqlx"
fi
