"""What the work cannot cost less than, from operation counts and a measured matrix product.

Floating-point operations a minute of video, two for each multiply-add. Left out, so that the floor stays a floor: voice
activity, the voice's spectra, HireNet (together below a tenth of a second), and all copying and scaling.
"""

import json
import time

import numpy as np

ENCODER_POSITIONS, WIDTH, LAYERS, VOCABULARY = 1500, 384, 4, 51865  # Whisper tiny
WINDOW_S = 30
LANDMARKS_FLOP = 226e6  # the published landmark graph, before its activations were laid out as convolutions
BLENDSHAPES_FLOP = 64e6


def encoder_flop():
    """24 d^2 T L for projections and feed-forward layers, 4 T^2 d L for attention."""
    matrices = 24 * WIDTH**2 * ENCODER_POSITIONS * LAYERS
    attention = 4 * ENCODER_POSITIONS**2 * WIDTH * LAYERS
    return matrices + attention


def decoder_flop(tokens):
    """Keys and values of the encoder's output once; then for each token 28 d^2 a layer, attention and vocabulary."""
    encoded = 4 * ENCODER_POSITIONS * WIDTH**2 * LAYERS
    layers = LAYERS * (28 * WIDTH**2 + 4 * ENCODER_POSITIONS * WIDTH)
    return encoded + tokens * (layers + 2 * VOCABULARY * WIDTH)


def recognition_s(media_s, tokens, gflops):
    windows = -(-media_s // WINDOW_S)
    return windows * (encoder_flop() + decoder_flop(tokens)) / (gflops * 1e9)


def face_s(media_s, fps, gflops):
    return media_s * fps * (LANDMARKS_FLOP + BLENDSHAPES_FLOP) / (gflops * 1e9)


def sgemm_gflops(size=1536, repeats=8):
    """The best rate of single-precision matrix products, on as many threads as BLAS is allowed."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size), dtype=np.float32) for _ in range(2))
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        product = a @ b
        best = min(best, time.perf_counter() - started)
    if not np.allclose(product[0], a[0].astype(np.float64) @ b, atol=1e-2):
        raise SystemExit("this numpy multiplies wrongly on this processor")
    return 2 * size**3 / best / 1e9


if __name__ == "__main__":
    print(json.dumps({"gflops": sgemm_gflops()}))
