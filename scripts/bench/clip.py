"""Makes the benchmark's recordings from the sample interview: a talking head at 720p30 in H.264 with AAC sound."""

import hashlib
import subprocess
from pathlib import Path

WIDTH, HEIGHT, FPS = 1280, 720, 30
NOISE = 6  # sensor noise: without it a rendered picture decodes faster than a camera's


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def join(samples, out):
    """Strings recordings of any format together, scaled to one size, with next to no loss."""
    inputs = [part for sample in samples for part in ("-i", sample)]
    size = f"scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=increase,crop={WIDTH}:{HEIGHT},setsar=1,fps={FPS}"
    chains = [
        f"[{i}:v]{size}[v{i}];[{i}:a]aresample=48000,aformat=channel_layouts=mono[a{i}]" for i in range(len(samples))
    ]
    streams = "".join(f"[v{i}][a{i}]" for i in range(len(samples)))
    graph = ";".join([*chains, f"{streams}concat=n={len(samples)}:v=1:a=1[v][a]"])
    lossless = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", 6, "-c:a", "flac")
    ffmpeg(*inputs, "-filter_complex", graph, "-map", "[v]", "-map", "[a]", *lossless, out)


def made_from(samples, seconds):
    """What a recording depends on: the samples, its length, and this file."""
    return "".join(sha256(file) for file in [*samples, __file__]) + f" {seconds}"


def make(samples, out, seconds):
    """The sample's answers one after another, over and over, until `seconds` are full; a recording already there from
    the same samples stays."""
    note = out.with_suffix(".from")
    if out.exists() and note.exists() and note.read_text() == made_from(samples, seconds):
        return out
    joined = out.with_suffix(".mkv")
    join(samples, joined)
    ffmpeg(
        "-stream_loop",
        -1,
        "-i",
        joined,
        "-t",
        seconds,
        "-vf",
        f"noise=alls={NOISE}:allf=t:all_seed=1,format=yuv420p",
        "-c:v",
        "libx264",
        "-preset",
        "medium",
        "-crf",
        23,
        "-g",
        60,
        "-c:a",
        "aac",
        "-b:a",
        "128k",
        "-ar",
        48000,
        "-ac",
        1,
        out,
    )
    joined.unlink()
    note.write_text(made_from(samples, seconds))
    return out


def repeat(clip, out, times):
    """The clip, `times` over, without coding it again."""
    ffmpeg("-stream_loop", times - 1, "-i", clip, "-c", "copy", out)
    return out


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
