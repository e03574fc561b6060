"""Makes the benchmark's recordings from the sample interview: a talking head at 720p30 in H.264 with AAC sound."""

import hashlib
import subprocess
from pathlib import Path

WIDTH, HEIGHT, FPS = 1280, 720, 30
NOISE = 6  # sensor noise: without it a rendered picture decodes faster than a camera's


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def make(samples, out, seconds):
    """Strings the sample's answers together until `seconds` are full."""
    playlist = out.with_suffix(".txt")
    playlist.write_text("".join(f"file '{Path(sample).resolve()}'\n" for sample in samples))
    picture = (
        f"scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=decrease,pad={WIDTH}:{HEIGHT}:-1:-1,"
        f"fps={FPS},noise=alls={NOISE}:allf=t:all_seed=1,format=yuv420p"
    )
    ffmpeg(
        "-stream_loop", -1, "-f", "concat", "-safe", 0, "-i", playlist, "-t", seconds, "-vf", picture,
        "-c:v", "libx264", "-preset", "medium", "-crf", 23, "-g", 60,
        "-c:a", "aac", "-b:a", "128k", "-ar", 48000, "-ac", 1, out,
    )
    return out


def repeat(clip, out, times):
    """The clip, `times` over, without coding it again."""
    ffmpeg("-stream_loop", times - 1, "-i", clip, "-c", "copy", out)
    return out


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
