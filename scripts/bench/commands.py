"""The commands that are measured: ours, those of the tools that a user would chain instead, and the decoding floor."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

TOKENS_PER_WINDOW = 130
ANALYSED_FPS = 10
PEERS = Path(__file__).parent / "peers"


@dataclass
class Inputs:
    """Files that both sides read."""

    hirenet: Path
    clip: Path
    wav: Path
    whisper_model: Path
    face_model: Path
    out: Path


def our_settings(inputs):
    """Greedy, no fallback, a fixed number of tokens a window, and the language known: as the peer is set.

    Random weights are never sure of a word. The log-probability threshold is put out of reach, or every stretch would be
    heard a second time to ask for the no-speech probability, which the peer does not do.
    """
    return {
        "HIRENET_SPEECH__MODEL": inputs.whisper_model,
        "HIRENET_SPEECH__LANGUAGE": "en",
        "HIRENET_SPEECH__BEAM_SIZE": 1,
        "HIRENET_SPEECH__TEMPERATURE_STEP": 0,
        "HIRENET_SPEECH__LOGPROB_THRESHOLD": -1000,
        "HIRENET_SPEECH__MAX_TOKENS": TOKENS_PER_WINDOW,
        "HIRENET_MEDIA__ANALYSIS_FPS": ANALYSED_FPS,
        "HIRENET_ONNX__DEVICE": "cpu",
    }


def analyze(inputs, media):
    question = ["--question", "Tell us about a difficult situation in a team.", "--title", "Project manager"]
    return [inputs.hirenet, "analyze", media, *question, "--out", inputs.out]


def decode(inputs):
    """The decoding child as the program starts it: the file as its input, sound and pictures to nowhere."""
    task = {"work": {"decode": {"audio": True, "video": True}}, "settings": {"analysis_fps": ANALYSED_FPS}}
    script = 'exec "$0" decode-child "$1" <"$2" >/dev/null'
    return ["sh", "-c", script, inputs.hirenet, json.dumps(task), inputs.clip]


def stages(inputs):
    """Each stage by itself, and the whole. A stage that needs pictures or sound decodes them too."""
    return {
        "decode": decode(inputs),
        "transcribe": [inputs.hirenet, "transcribe", inputs.clip, "--quiet"],
        "vocal": [inputs.hirenet, "features", "vocal", inputs.clip, "--quiet"],
        "visual": [inputs.hirenet, "features", "visual", inputs.clip, "--quiet"],
        "verbal": [inputs.hirenet, "features", "verbal", inputs.clip, "--quiet"],
        "whole": [*analyze(inputs, inputs.clip), "--quiet"],
    }


def ffmpeg(threads, *arguments):
    limit = ["-threads", threads] if threads else []
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *limit, *arguments]


def decode_to_null(inputs):
    """The decoding floor: every frame and all sound, kept nowhere, on one thread."""
    return ffmpeg(1, "-i", inputs.clip, "-map", "0:v", "-map", "0:a", "-f", "null", "-")


def peers(inputs, threads):
    """The chain of tools in its order, as (command, environment), on one thread each or (None) their own number."""

    def script(name, *arguments):
        return [sys.executable, PEERS / f"{name}.py", *arguments]

    # OpenCV's reader has no argument for ffmpeg's threads.
    reader = {"OPENCV_FFMPEG_CAPTURE_OPTIONS": f"threads;{threads}"} if threads else {}
    return {
        "ffmpeg_wav": (ffmpeg(threads, "-i", inputs.clip, "-vn", "-ac", 1, "-ar", 16000, inputs.wav), {}),
        "whisper_cpp": (script("whisper", inputs.whisper_model, inputs.wav, TOKENS_PER_WINDOW, threads or 0), {}),
        "praat": (script("praat", inputs.wav), {}),
        "mediapipe": (script("mediapipe_face", inputs.face_model, inputs.clip), reader),
    }
