#!/usr/bin/env python3
"""Runs ONNX's own checker over graphs: `scripts/check_onnx.py FILE.onnx...` (needs the package `onnx`).

The check is full: shapes and types are inferred through the whole graph. Exits non-zero at the first graph that fails.
"""

import sys

import onnx


def main(paths: list[str]) -> int:
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    for path in paths:
        model = onnx.load(path)
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 1
        opset = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import)
        print(f"{path}: whole; {len(model.graph.node)} nodes, opset {opset}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
