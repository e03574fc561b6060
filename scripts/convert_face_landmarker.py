#!/usr/bin/env python3
"""Makes the three face networks of models/ out of Google's face_landmarker.task, byte for byte.

    python3 -m venv /tmp/convert && /tmp/convert/bin/pip install -r scripts/requirements-convert.txt
    hirenet models pull face_landmarker
    /tmp/convert/bin/python scripts/convert_face_landmarker.py models/face_landmarker.task --check
    /tmp/convert/bin/python scripts/convert_face_landmarker.py models/face_landmarker.task --out /tmp/face

No weight is trained or rounded: float16 is widened to float32, and NHWC becomes NCHW where ONNX wants it. Two networks
are then rewritten as equal ones that ONNX Runtime runs faster: the activations of the landmark network as convolutions
(relay_prelu.py), 1.3 times as fast, and the blendshape network as matrix products (relay_mixer.py), 1.9 times.
"""

import argparse
import hashlib
import sys
import tomllib
import zipfile
from pathlib import Path

import relay_mixer
import relay_prelu
from tflite_to_onnx import translate

MANIFEST = Path(__file__).resolve().parent.parent / "models" / "manifest.toml"
ORIGIN = "Converted without retraining from MediaPipe face_landmarker.task (float16, v1), Apache-2.0, Google LLC. "
NETWORKS = [
    {
        "tflite": "face_detector.tflite",
        "onnx": "mediapipe_face_detector.onnx",
        "input": "input",
        "outputs": ["regressors", "classificators"],
        "description": ORIGIN + "Input NHWC RGB in [-1,1].",
        "relay": None,
    },
    {
        "tflite": "face_landmarks_detector.tflite",
        "onnx": "mediapipe_face_landmarks.onnx",
        "input": "input",
        "outputs": ["landmarks", "presence_logit", "tongue_out"],
        "description": ORIGIN + "Input NHWC RGB in [0,1]; landmarks 478*(x,y,z) in 256-pixel crop coordinates.",
        "relay": relay_prelu.relay,
    },
    {
        "tflite": "face_blendshapes.tflite",
        "onnx": "mediapipe_face_blendshapes.onnx",
        "input": "points",
        "outputs": ["blendshapes"],
        "description": ORIGIN + "Input 146 (x,y) landmarks in pixels.",
        "relay": relay_mixer.relay,
    },
]


def converted(task_file):
    """(file name, bytes of the ONNX file) of each network in the archive."""
    with zipfile.ZipFile(task_file) as archive:
        for network in NETWORKS:
            content = archive.read(network["tflite"])
            model = translate(content, network["input"], network["outputs"], network["description"])
            if network["relay"]:
                model = network["relay"](model)
            yield network["onnx"], model.SerializeToString()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", type=Path, help="face_landmarker.task")
    parser.add_argument("--out", type=Path, help="write the files into this folder")
    parser.add_argument("--check", action="store_true", help="compare with the sha256 of models/manifest.toml")
    arguments = parser.parse_args()
    expected = {entry["file"]: entry["sha256"] for entry in tomllib.loads(MANIFEST.read_text())["model"]}
    differing = 0
    for name, content in converted(arguments.task):
        sha256 = hashlib.sha256(content).hexdigest()
        verdict = ""
        if arguments.check:
            verdict = "  same as the manifest" if sha256 == expected[name] else f"  DIFFERS from {expected[name]}"
            differing += sha256 != expected[name]
        print(f"{sha256}  {name}{verdict}")
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            (arguments.out / name).write_bytes(content)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
