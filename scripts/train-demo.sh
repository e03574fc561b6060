#!/usr/bin/env bash
# Trains the demo bundle anew: made-up interviews, then the bundle, then its place in the manifest. `make train-demo`.
set -euo pipefail
cd "$(dirname "$0")/.."

out=models/hirenet-demo.onnx work=train-out
rm -rf "$work"
mkdir -p "$work"
"$HIRENET_TRAIN" synth "$work/interviews" --interviews 6000 --positions 200 --questions 2 --seconds 8 --topics 2 --amplitude 3 --gain 4
"$HIRENET_TRAIN" fit "$work/interviews" --out "$work/hirenet-demo.onnx" --name hirenet-demo --hidden 32 --rate 0.003 --dropout 0.3 --epochs 6 --patience 3
"$HIRENET_TRAIN" explain "$work/interviews" "$work/hirenet-demo.run" --no-control >"$work/explanation.md"
mv "$work/hirenet-demo.onnx" "$out"
# The manifest's entry holds the file's size and hash: two lines behind its name.
sed -i "/^name = \"hirenet-demo\"/,/^\$/ { s/^bytes = .*/bytes = $(stat -c %s "$out")/; s/^sha256 = .*/sha256 = \"$(sha256sum "$out" | cut -d' ' -f1)\"/ }" models/manifest.toml
echo "$out is trained; what it measures is in $work/hirenet-demo.run"
