#!/usr/bin/env bash
# Installs what building, testing and running HireNet needs, and nothing that is there already:
#   1. checks for Rust          2. Debian packages (scripts/debian-packages.txt)
#   3. a Python environment in .venv for the checks     4. ONNX Runtime's shared library in .runtime
# Run it through `make setup`. A second run finds everything in place and ends within a second.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# True where the stamp NAME was written for the same contents of FILES.
is_current() {
    local stamp=.setup/$1
    shift
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(cat "$@" | sha256sum)" ]
}
mark_current() {
    local stamp=.setup/$1
    shift
    cat "$@" | sha256sum >"$stamp"
}

check_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    have=$(cargo --version 2>/dev/null | cut -d' ' -f2 || true)
    if [ -n "$have" ] && [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ]; then
        return
    fi
    if command -v rustup >/dev/null; then
        fail "Rust $wanted or newer is needed, this is ${have:-no Rust}. Install it, then try again:" \
            "  rustup toolchain install $wanted && rustup default $wanted"
    fi
    fail "Rust $wanted or newer is needed, this is ${have:-no Rust}; Debian's own is too old. Install it, then try again:" \
        "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain $wanted"
}

install_packages() {
    local wanted missing=() package as_root=()
    mapfile -t wanted < <(sed 's/#.*//' scripts/debian-packages.txt | awk 'NF {print $1}')
    if ! command -v dpkg-query >/dev/null; then
        say "not a Debian system: install by hand what stands for: ${wanted[*]}"
        return
    fi
    for package in "${wanted[@]}"; do
        if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing Debian packages (a minute or two): ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "root is needed for: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    # The broker and the database are for private use: their packages start no service of the system.
    local policy=/usr/sbin/policy-rc.d guarded=
    if [ ! -e "$policy" ]; then
        guarded=yes
        "${as_root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
        # shellcheck disable=SC2064  # the command's words are known now
        trap "${as_root[*]} rm -f $policy" EXIT
    fi
    # Another installer may be at work on a new machine: wait for it.
    local apt=("${as_root[@]}" apt-get -q -y -o DPkg::Lock::Timeout=300)
    if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } \
        </dev/null >.setup/apt.log 2>&1; then
        tail -n 20 .setup/apt.log >&2
        fail "the packages could not be installed; all of apt's words are in .setup/apt.log"
    fi
    if [ -n "$guarded" ]; then
        "${as_root[@]}" rm -f "$policy"
        trap - EXIT
    fi
}

make_python_environment() {
    local requirements=scripts/requirements-test.txt python=/usr/bin/python3
    if [ -x .venv/bin/python ] && is_current python "$requirements"; then
        return
    fi
    say "making the Python environment .venv"
    # Debian's own Python first: versions put before it in PATH may lack the venv module.
    [ -x "$python" ] || python=python3
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install -q --disable-pip-version-check --only-binary=:all: -r "$requirements"
    mark_current python "$requirements"
}

install_onnxruntime() {
    local requirements=scripts/requirements-onnxruntime.txt library=.runtime/libonnxruntime.so folder
    if [ -f "$library" ] && is_current onnxruntime "$requirements"; then
        return
    fi
    say "fetching ONNX Runtime's shared library"
    mkdir -p .runtime
    folder=$(mktemp -d .runtime/wheel.XXXXXX)
    # shellcheck disable=SC2064  # the folder's name is known now
    trap "rm -rf '$folder'" EXIT
    # Only the library inside counts, so the wheel is named outright, whatever Python is installed here.
    .venv/bin/python -m pip download -q --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
        --implementation cp --python-version 3.11 --abi cp311 --platform "manylinux_2_28_$(uname -m)" \
        -d "$folder" -r "$requirements"
    .venv/bin/python -m zipfile -e "$folder"/onnxruntime-*.whl "$folder"
    # A rename, so that a running program keeps the library that it has open.
    mv "$folder"/onnxruntime/capi/libonnxruntime.so.* "$library"
    mark_current onnxruntime "$requirements"
}

mkdir -p .setup
exec 9>.setup/lock
flock 9 # two runs at once: the second waits, then finds everything done
check_rust
install_packages
make_python_environment
install_onnxruntime
