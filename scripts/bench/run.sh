#!/usr/bin/env bash
# Makes the peers' Python environment where it is missing, then measures.
# Run it through `make bench` or `make bench-quality`: run.sh [SCRIPT].
set -euo pipefail
cd "$(dirname "$0")/../.."

requirements=scripts/requirements-bench.txt
if [ ! -x .venv-bench/bin/python ] || ! sha256sum --status -c .setup/bench 2>/dev/null; then
    # mediapipe 0.10.21 has packages for these Pythons; Debian 12's own is 3.11.
    for python in /usr/bin/python3.11 python3.11 python3.12 python3.10 ''; do
        command -v "$python" >/dev/null && break
    done
    if [ -z "$python" ]; then
        echo "the benchmark's peers need Python 3.10 to 3.12" >&2
        exit 2
    fi
    echo "making the peers' Python environment .venv-bench"
    rm -rf .venv-bench
    "$python" -m venv .venv-bench
    .venv-bench/bin/python -m pip install -q --disable-pip-version-check --only-binary=:all: -r "$requirements"
    sha256sum "$requirements" >.setup/bench
fi

export PYTHONPATH=scripts/bench # how every benchmark runs, measures and reports
exec .venv-bench/bin/python "${1:-scripts/bench/pipeline.py}"
