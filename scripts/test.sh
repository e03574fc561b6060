#!/usr/bin/env bash
# Runs every test and closes with one line, "X passed, Y failed, Z skipped". Run it through `make test`.
# A test that needs ../shared and does not find it counts as skipped, and is named before that line.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

work=$(mktemp -d)
clean_up() {
    scripts/services.sh stop "$work/services"
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
export HIRENET_SKIPPED=$work/skipped # the tests write a line for each one that they skip
: >"$HIRENET_SKIPPED"
passed=0 failed=0 ignored=0

# Checks that are not Rust tests: check NAME COMMAND...
check() {
    local name=$1
    shift
    if "$@" >"$work/output" 2>&1 </dev/null; then
        echo "check $name ... ok"
        passed=$((passed + 1))
    else
        echo "check $name ... FAILED"
        cat "$work/output"
        failed=$((failed + 1))
    fi
}

setup_has_nothing_left_to_do() { [ -z "$(scripts/setup.sh 2>&1)" ]; }
program_starts_anywhere() { (cd / && env -u CARGO_TARGET_DIR "$HIRENET_BIN" --version); }
scripts_are_sound() { find .ci scripts -type f \( -name '*.sh' -o -path .ci/run \) -print0 | xargs -0 -n 1 bash -n; }
python_compiles() { find scripts -name '*.py' -print0 | xargs -0 -r .venv/bin/python -m py_compile; }
deploy_is_sound() { .venv/bin/python scripts/check_deploy.py; }
models_are_valid_onnx() { .venv/bin/python scripts/check_onnx.py models/*.onnx; }

check "a second set-up has nothing to do" setup_has_nothing_left_to_do
check "shell scripts parse" scripts_are_sound
check "Python scripts parse" python_compiles
check "the program starts from another working directory" program_starts_anywhere
check "deploy/ passes the checkers of what reads it" deploy_is_sound
check "shipped models pass ONNX's own checker" models_are_valid_onnx

# The broker and the database that the Rust tests find through HIRENET_TEST_AMQP and HIRENET_TEST_POSTGRES.
start_services() { scripts/services.sh start "$work/services" >"$work/environment"; }
check "a private broker and database start" start_services
# shellcheck source=/dev/null
. "$work/environment"

# Release, so that the tests share the program's build and run on real media in good time.
cargo test --release --workspace --no-fail-fast </dev/null 2>&1 | tee "$work/log"
cargo_status=${PIPESTATUS[0]}

# `test result: ok. 12 passed; 0 failed; 1 ignored; ...` from each test program
read -r rust_passed rust_failed rust_ignored < <(awk '
    /^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { print passed + 0, failed + 0, ignored + 0 }' "$work/log")
passed=$((passed + rust_passed)) failed=$((failed + rust_failed)) ignored=$((ignored + rust_ignored))
if [ "$cargo_status" -ne 0 ] && [ "$rust_failed" -eq 0 ]; then
    echo "cargo test ended with status $cargo_status before its tests could tell why: see above"
    failed=$((failed + 1))
fi

# A test that skips itself passes in cargo's eyes. One test may name several missing files: it counts once.
cut -f 1 "$HIRENET_SKIPPED" | sort -u >"$work/skipped-tests"
skipped=$(wc -l <"$work/skipped-tests")
passed=$((passed - skipped))
if [ "$skipped" -gt 0 ]; then
    echo
    echo "$skipped tests skipped, each for want of what stands beside it:"
    sort -u "$HIRENET_SKIPPED" | sed 's/^/  /'
fi

echo
echo "$passed passed, $failed failed, $((skipped + ignored)) skipped"
[ "$failed" -eq 0 ]
