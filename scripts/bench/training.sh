#!/usr/bin/env bash
# Makes PyTorch's environment where it is missing, then measures the trainer. Run it through `make bench-training`.
set -euo pipefail
cd "$(dirname "$0")/../.."

requirements=scripts/requirements-bench-training.txt venv=${HIRENET_TRAINING_VENV:-.venv-training}
mkdir -p .setup
if [ ! -x "$venv/bin/python" ] || ! sha256sum --status -c .setup/bench-training 2>/dev/null; then
    # PyTorch 2.2.2 has packages for these Pythons; Debian 12's own is 3.11.
    for python in /usr/bin/python3.11 python3.11 ''; do
        command -v "$python" >/dev/null && break
    done
    if [ -z "$python" ]; then
        echo "the trainer's peers need Python 3.11" >&2
        exit 2
    fi
    echo "making PyTorch's environment $venv (3 GB)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    # --no-deps: what is needed is named there, and nothing else is.
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --only-binary=:all: -r "$requirements"
    sha256sum "$requirements" >.setup/bench-training
fi

export PYTHONPATH=scripts/bench:scripts
exec "$venv/bin/python" scripts/bench/training.py "$@"
