"""Runs `hirenet` as a user does and reads what it prints."""

import csv
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import measure
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
HIRENET = Path(os.environ.get("HIRENET_BIN", ROOT / "target/release/hirenet"))
SHARED = Path(os.environ.get("HIRENET_SHARED", ROOT.parent / "shared"))
ONE_CORE = {max(os.sched_getaffinity(0))}
DONE, PARTIAL = 0, 4


@dataclass
class Places:
    """Where the clips made here lie."""

    work: Path

    def file(self, name):
        return self.work / name


def hirenet(*arguments, settings=None, cores=None, log=("--quiet",)):
    """One run of the program on the processor, with settings named as `section.key`."""
    env = {"HIRENET_ONNX__DEVICE": "cpu"}
    env |= {f"HIRENET_{name.replace('.', '__').upper()}": value for name, value in (settings or {}).items()}
    return measure.run([HIRENET, *arguments, *log], env, cores, accepted=(DONE, PARTIAL))


def logged(event, *arguments, settings=None, cores=None):
    """The run, and the fields of the first event of this name in its log."""
    run = hirenet(*arguments, settings=settings, cores=cores, log=("--log-format", "json"))
    for line in run.stderr.splitlines():
        fields = json.loads(line)
        if fields.get("event") == event:
            return run, fields
    raise measure.Failed(f"{arguments[0]} did not log {event}")


def columns(text):
    """CSV text as arrays by column name; an empty cell is NaN."""
    header, *rows = csv.reader(io.StringIO(text))
    values = np.array([[float(cell or "nan") for cell in row] for row in rows]).reshape(-1, len(header))
    return dict(zip(header, values.T))


def features(modality, media, settings=None, windows=False):
    """The printed measurements of `hirenet features`, by column."""
    option = ["--windows"] if windows else []
    return columns(hirenet("features", modality, media, *option, settings=settings).stdout)


def transcribe(media):
    """The transcript, words with times, of an English recording."""
    return json.loads(hirenet("transcribe", media, "--language", "en").stdout)
