"""Writes a Whisper model in tiny's shape with random weights, in whisper.cpp's file format.

Speed does not depend on the values of weights, so such a file gives honest times and no transcript.
Header, mel filters and vocabulary come from whisper.cpp's own test file, which has no weights.

usage: random_whisper.py HEADER_FILE OUT
"""

import struct
import sys
from pathlib import Path

import numpy as np

MAGIC = 0x67676D6C
END_OF_TEXT = 50257  # the first token that is not text: end, languages, tasks and time stamps follow
MATRIX_SCALE = 0.05
EMBEDDING_SCALE = 0.02


def header(path):
    """The bytes up to the end of the vocabulary, and the hyper-parameters."""
    data = Path(path).read_bytes()
    magic, *shape = struct.unpack_from("12i", data)
    if magic != MAGIC:
        raise SystemExit(f"{path} is not a whisper.cpp model")
    offset = 12 * 4
    mels, bins = struct.unpack_from("2i", data, offset)
    offset += 8 + 4 * mels * bins
    (tokens,) = struct.unpack_from("i", data, offset)
    offset += 4
    for _ in range(tokens):
        (length,) = struct.unpack_from("I", data, offset)
        offset += 4 + length
    names = (
        "vocabulary",
        "audio_positions",
        "width",
        "audio_heads",
        "audio_layers",
        "text_positions",
        "text_width",
        "text_heads",
        "text_layers",
        "mels",
        "half_precision",
    )
    return data[:offset], dict(zip(names, shape))


def sinusoids(positions, width):
    """The encoder's fixed position vectors, as Whisper computes them."""
    rates = np.exp(-np.log(10000) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(positions)[:, None] * rates[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def attention(rng, prefix, width):
    for name in ("query", "key", "value", "out"):
        yield f"{prefix}.{name}.weight", rng.standard_normal((width, width)) * MATRIX_SCALE
        if name != "key":
            yield f"{prefix}.{name}.bias", np.zeros(width)


def norm(prefix, width):
    yield f"{prefix}.weight", np.ones(width)
    yield f"{prefix}.bias", np.zeros(width)


def block(rng, prefix, width, crosses):
    yield from norm(f"{prefix}.attn_ln", width)
    yield from attention(rng, f"{prefix}.attn", width)
    if crosses:
        yield from norm(f"{prefix}.cross_attn_ln", width)
        yield from attention(rng, f"{prefix}.cross_attn", width)
    yield from norm(f"{prefix}.mlp_ln", width)
    yield f"{prefix}.mlp.0.weight", rng.standard_normal((4 * width, width)) * MATRIX_SCALE
    yield f"{prefix}.mlp.0.bias", np.zeros(4 * width)
    yield f"{prefix}.mlp.2.weight", rng.standard_normal((width, 4 * width)) * MATRIX_SCALE
    yield f"{prefix}.mlp.2.bias", np.zeros(width)


def tensors(shape):
    """Names and values of all weights, in the file's order."""
    rng = np.random.default_rng(0)
    width = shape["width"]

    def small(*dims):
        return rng.standard_normal(dims) * EMBEDDING_SCALE

    yield "encoder.positional_embedding", sinusoids(shape["audio_positions"], width)
    yield "encoder.conv1.weight", small(width, shape["mels"], 3)
    yield "encoder.conv1.bias", np.zeros((width, 1))
    yield "encoder.conv2.weight", small(width, width, 3)
    yield "encoder.conv2.bias", np.zeros((width, 1))
    yield from norm("encoder.ln_post", width)
    yield "decoder.positional_embedding", small(shape["text_positions"], width)
    embedding = small(shape["vocabulary"], width)
    bias = np.zeros(width)
    # Only text is ever chosen, so that each window yields as many tokens as it is allowed: the last norm puts a
    # constant into column 0, which the rows of all other tokens weigh with a large negative number.
    bias[0], embedding[END_OF_TEXT:, 0] = 10.0, -3.0
    yield "decoder.token_embedding.weight", embedding
    yield "decoder.ln.weight", np.ones(width)
    yield "decoder.ln.bias", bias
    for layer in range(shape["audio_layers"]):
        yield from block(rng, f"encoder.blocks.{layer}", width, crosses=False)
    for layer in range(shape["text_layers"]):
        yield from block(rng, f"decoder.blocks.{layer}", width, crosses=True)


def write(header_file, out):
    """Writes the model to `out`, by way of a part file."""
    head, shape = header(header_file)
    part = Path(f"{out}.part")
    with part.open("wb") as file:
        file.write(head)
        for name, values in tensors(shape):
            half = name.endswith("weight") and values.ndim > 1
            file.write(struct.pack("iii", values.ndim, len(name), int(half)))
            file.write(struct.pack(f"{values.ndim}i", *reversed(values.shape)))
            file.write(name.encode())
            file.write(values.astype(np.float16 if half else np.float32).tobytes())
    part.rename(out)


if __name__ == "__main__":
    write(*sys.argv[1:])
