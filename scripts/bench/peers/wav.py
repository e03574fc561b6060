"""Reads WAV files as ffmpeg writes them."""

import wave

import numpy as np


def samples(path):
    """Samples of a 16-bit mono file in -1..1, and the sample rate in Hz."""
    with wave.open(path, "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(
            np.float32
        ) / 32768, file.getframerate()
