"""Processor time of the voice against Praat's, and of the face against MediaPipe's, in the same run on one core."""

import json
import os
import statistics
import sys
from pathlib import Path

import clip
import commands
import measure
from program import HIRENET, ONE_CORE, ROOT, SHARED, hirenet, logged
from report import Row

ROUNDS = int(os.environ.get("QUALITY_ROUNDS", "5"))
VOICE_S = 300
FACE_S = 60
SHORT_S = 0.2  # what is left of a command on so short a file is its start
VOICES = ("real_jfk", "real_librivox_a", "real_fleurs_fr_a")


def peer(script, *arguments):
    """The JSON line that a peer's script printed, run on the same one core."""
    out = measure.run([sys.executable, script, *arguments], cores=ONE_CORE).stdout
    return json.loads(out.strip().splitlines()[-1])


def vocal_cpu_s(recording):
    return hirenet("features", "vocal", recording, settings={"onnx.threads": 1}, cores=ONE_CORE).cpu_s


def voice_rows(places):
    """All 25 columns of a 5-minute recording, less the start, against Praat's calls without theirs."""
    long, short = places.file("voice-5min.wav"), places.file("voice-short.wav")
    inputs = [part for name in VOICES for part in ("-i", SHARED / f"reference/voice/{name}.wav")]
    joined = places.file("voice-joined.wav")
    clip.ffmpeg(*inputs, "-filter_complex", f"concat=n={len(VOICES)}:v=0:a=1", "-ar", 16000, joined)
    clip.ffmpeg("-stream_loop", -1, "-i", joined, "-t", VOICE_S, long)
    clip.ffmpeg("-i", joined, "-t", SHORT_S, short)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(vocal_cpu_s(long) - vocal_cpu_s(short))
        theirs.append(peer(Path(__file__).with_name("praat_recording.py"), long)["cpu"])
    own_s, praat_s = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    return [
        Row("voice_cpu_s", own_s, "s", peer=praat_s),
        Row("voice_real_time_factor", own_s / VOICE_S, "s/s", peer=praat_s / VOICE_S),
        Row("voice_time_vs_praat", ratio, "ratio", bar="<= 0.5"),
    ]


def decoding_cpu_s(video, settings):
    """The decoding child alone, its pictures through a pipe as in the program, and thrown away."""
    keys = {name.split(".")[1]: value for name, value in settings.items() if name.startswith("media.")}
    task = json.dumps({"work": {"decode": {"audio": False, "video": True}}, "settings": keys})
    script = 'set -o pipefail; "$0" decode-child "$1" <"$2" | cat >/dev/null'
    return measure.run(["bash", "-c", script, HIRENET, task, video], cores=ONE_CORE).cpu_s


def face_ms(long, short, settings, frames):
    """Milliseconds a frame: of the face stage, which is what the row compares, and of the whole command less its start
    and less what decoding the same pictures takes, which has the passing on of pictures and the printing in it."""
    run, stage = logged("faces_measured", "features", "visual", long, settings=settings, cores=ONE_CORE)
    start = hirenet("features", "visual", short, settings=settings, cores=ONE_CORE)
    decoding = decoding_cpu_s(long, settings) - decoding_cpu_s(short, settings)
    rest = run.cpu_s - start.cpu_s - decoding
    return 1000 * stage["cpu_s"] / stage["frames"], 1000 * rest / frames


def face_rows(places):
    """Crop, landmarks, blendshapes, pose and gaze of a tracked 720p face, against `detect_for_video` alone."""
    interview = json.loads((ROOT / "samples/interview.json").read_text())
    samples = [ROOT / "samples" / answer["media"] for answer in interview["answers"]]
    long = clip.make(samples, places.file("interview.mp4"), FACE_S)
    short = places.file("interview-short.mp4")
    clip.ffmpeg("-i", long, "-t", SHORT_S, "-c", "copy", short)
    settings = {"media.analysis_fps": commands.ANALYSED_FPS, "media.frame_height": 0, "media.decode_threads": 1}
    ours, around, theirs = [], [], []
    for _ in range(ROUNDS):
        stage, rest = face_ms(long, short, settings, round((FACE_S - SHORT_S) * commands.ANALYSED_FPS))
        ours.append(stage)
        around.append(rest)
        measured = peer(commands.PEERS / "mediapipe_face.py", SHARED / "models/face_landmarker.task", long)
        theirs.append(1000 * measured["network_cpu"] / measured["frames"])
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    return [
        Row("face_ms", statistics.median(ours), "ms/frame", peer=statistics.median(theirs)),
        Row("face_command_less_decoding_ms", statistics.median(around), "ms/frame", peer=statistics.median(theirs)),
        Row("face_time_vs_mediapipe", ratio, "ratio", bar="<= 0.85"),
    ]
