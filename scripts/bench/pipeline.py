"""Measures speed and memory of HireNet on a talking-face recording, beside the tools that a user would chain instead.

Run it through `make bench`. Writes bench-out/pipeline.json, prints the table, and ends with 1 where a bar is missed.
Settings from the environment, for a quick trial: BENCH_RUNS, BENCH_SECONDS, BENCH_LONG_MINUTES.
"""

import json
import os
import statistics
import sys
from pathlib import Path

import clip
import commands
import floors
import measure
import random_whisper
import report
from report import Row
from runs import Runs, cpu, loading_s, printed, wall

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "bench-out"
ONE_CORE = {max(os.sched_getaffinity(0))}
SCORED, PARTIAL = 0, 4
RUNS = int(os.environ.get("BENCH_RUNS", 3))
SECONDS = int(os.environ.get("BENCH_SECONDS", 60))
LONG_MINUTES = int(os.environ.get("BENCH_LONG_MINUTES", 30))


def prepare():
    """Makes the recordings and the model, and returns where they lie."""
    shared = Path(os.environ.get("HIRENET_SHARED", ROOT.parent / "shared"))
    work = OUT / "pipeline"
    work.mkdir(parents=True, exist_ok=True)
    inputs = commands.Inputs(
        hirenet=Path(os.environ["HIRENET_BIN"]),
        clip=work / "interview.mp4",
        wav=work / "interview.wav",
        whisper_model=work / "random-tiny.bin",
        face_model=shared / "models/face_landmarker.task",
        out=work / "result",
    )
    print("making the recording and the recognition model", flush=True)
    interview = json.loads((ROOT / "samples/interview.json").read_text())
    clip.make([ROOT / "samples" / answer["media"] for answer in interview["answers"]], inputs.clip, SECONDS)
    random_whisper.write(shared / "models/for-tests-ggml-tiny.bin", inputs.whisper_model)
    return inputs


def measure_round(runs, inputs):
    """One run of everything, floors, ours and peers in turn, so that a busy moment of the machine meets them all."""
    ours = commands.our_settings(inputs)
    # The checks' environment has a newer BLAS than the peers can live with.
    sgemm = [ROOT / ".venv/bin/python", Path(__file__).with_name("floors.py")]
    runs.add("sgemm", sgemm, {"OPENBLAS_NUM_THREADS": 1}, ONE_CORE)
    runs.add("ffmpeg_null", commands.decode_to_null(inputs), cores=ONE_CORE)
    for name, command in commands.stages(inputs).items():
        runs.add(name, command, ours, accepted=(SCORED, PARTIAL))
    runs.add("whole_one_core", commands.stages(inputs)["whole"], ours, ONE_CORE, (SCORED, PARTIAL))
    for name, (command, env) in commands.peers(inputs, threads=1).items():
        runs.add(name, command, env, ONE_CORE)
    for name, (command, env) in commands.peers(inputs, threads=None).items():
        runs.add(f"{name}_default_threads", command, env)
    runs.add("model_load", [inputs.hirenet, "doctor", "--load", "--json", "--quiet"], ours)


def startup_rows(runs, inputs):
    """Start of `analyze` to its first progress, against loading the same model files alone."""
    command = [*commands.analyze(inputs, inputs.clip), "--log-format", "json"]
    try:
        starts = [
            measure.seconds_until(command, "decoding_started", commands.our_settings(inputs)) for _ in range(RUNS)
        ]
        start_s = statistics.median(starts)
    except (measure.Failed, OSError) as error:
        print(f"    not measured: {error}", file=sys.stderr)
        start_s = None
    load_s = runs.median("model_load", loading_s)
    ratio = start_s / load_s if start_s and load_s else None
    return [Row("startup_s", start_s, "s", peer=load_s), Row("startup_vs_model_load", ratio, "ratio", bar="<= 1.5")]


def memory_rows(runs, inputs):
    """Peak memory of the whole on a long recording, against a minute of the same."""
    print(f"  whole, {LONG_MINUTES} minutes", flush=True)
    long_clip = clip.repeat(inputs.clip, inputs.clip.with_name("interview-long.mp4"), LONG_MINUTES * 60 // SECONDS)
    command = [*commands.analyze(inputs, long_clip), "--quiet"]
    runs.add("whole_long", command, commands.our_settings(inputs), accepted=(SCORED, PARTIAL))
    long_clip.unlink()
    short_mb, long_mb = (runs.median(name, lambda run: run.peak_mb) for name in ("whole", "whole_long"))
    growth = long_mb - short_mb if long_mb and short_mb else None
    long_rtf = runs.median("whole_long", lambda run: run.wall_s / (LONG_MINUTES * 60))
    return [
        Row("whole_long_peak_mb", long_mb, "MB"),
        Row("whole_long_rtf", long_rtf, "s/s"),
        Row("memory_growth_mb", growth, "MB", bar="<= 150"),
    ]


def floor_seconds(runs):
    """Processor seconds that decoding and the networks cannot go below, in this run."""
    decode = runs.median("ffmpeg_null", cpu)
    gflops = runs.median("sgemm", printed("gflops"))
    if decode is None or gflops is None:
        return {"decode": decode, "recognition": None, "face": None, "all": None}, gflops
    recognition = floors.recognition_s(SECONDS, commands.TOKENS_PER_WINDOW, gflops)
    face = floors.face_s(SECONDS, commands.ANALYSED_FPS, gflops)
    return {"decode": decode, "recognition": recognition, "face": face, "all": decode + recognition + face}, gflops


def stage_rows(runs, inputs, floor):
    """Wall and processor seconds a minute, real-time factor and peak memory of each stage alone and of the whole."""
    peer_of = {"transcribe": "whisper_cpp", "vocal": "praat", "visual": "mediapipe"}
    floor_of = {
        "decode": "decode",
        "transcribe": "recognition",
        "visual": "face",
        "whole": "all",
        "whole_one_core": "all",
    }

    def a_minute(seconds):
        return seconds and seconds * 60 / SECONDS

    rows = []
    for stage in [*commands.stages(inputs), "whole_one_core"]:
        peer = peer_of.get(stage, "")
        wall_s, cpu_s, peer_wall_s, peer_cpu_s = (
            a_minute(runs.median(name, of)) for name in (stage, peer) for of in (wall, cpu)
        )
        rows += [
            Row(f"{stage}_wall_s", wall_s, "s/min", peer=peer_wall_s),
            Row(f"{stage}_cpu_s", cpu_s, "s/min", floor=a_minute(floor.get(floor_of.get(stage))), peer=peer_cpu_s),
            Row(f"{stage}_rtf", wall_s and wall_s / 60, "s/s"),
            Row(f"{stage}_peak_mb", runs.median(stage, lambda run: run.peak_mb), "MB"),
        ]
    return rows


def peer_rows(runs, names):
    rows = []
    for name in names:
        rows += [
            Row(f"{name}_wall_s", runs.median(name, wall), "s"),
            Row(f"{name}_cpu_s", runs.median(name, cpu), "s"),
            Row(f"{name}_default_threads_wall_s", runs.median(f"{name}_default_threads", wall), "s"),
        ]
    return rows


def sums(runs, names, of):
    """Round by round, the sum over all peers; none where one of them failed."""
    columns = [runs.values(name, of) for name in names]
    return [sum(values) for values in zip(*columns)] if all(columns) else []


def ratio_row(name, ours, theirs, bar):
    """The median over rounds of ours against theirs, with its spread in rows of its own."""
    ratios = [a / b for a, b in zip(ours, theirs)]
    low, middle, high = (min(ratios), statistics.median(ratios), max(ratios)) if ratios else (None, None, None)
    return [Row(name, middle, "ratio", bar=bar), Row(f"{name}_min", low, "ratio"), Row(f"{name}_max", high, "ratio")]


def required_rows(runs, names, floor):
    default_names = [f"{name}_default_threads" for name in names]
    whole_cpu = runs.median("whole", cpu)
    defaults = sums(runs, default_names, wall)
    # The peers' work alone, without starting Python and loading: what a chain would cost that is kept running.
    work = [name for name in names if name != "ffmpeg_wav"]
    bare = [a + b for a, b in zip(sums(runs, work, printed("cpu")), runs.values("ffmpeg_wav", cpu))]
    return [
        *ratio_row("wall_vs_peers", runs.values("whole", wall), sums(runs, names, wall), "<= 0.6"),
        Row("peers_default_threads_wall_s", statistics.median(defaults) if defaults else None, "s"),
        *ratio_row("cpu_vs_peers", runs.values("whole", cpu), sums(runs, names, cpu), "<= 0.9"),
        *ratio_row("cpu_vs_peers_without_their_start", runs.values("whole", cpu), bare, None),
        Row("cpu_vs_floors", whole_cpu / floor["all"] if whole_cpu and floor["all"] else None, "ratio", bar="<= 2.5"),
    ]


def result_rows(inputs):
    """What the measured analysis says of itself: its stages' own times, and how much it recognised."""
    try:
        assessment = json.loads((inputs.out / "assessment.json").read_text())
    except (OSError, ValueError):
        return [Row("recognised_words", None, "words")]
    words = sum(len(answer["transcript"]["words"]) for answer in assessment["answers"] if answer.get("transcript"))
    timings = sorted(assessment.get("timings", {}).items())
    return [Row("recognised_words", words, "words"), *(Row(f"timing_{stage}_s", s, "s") for stage, s in timings)]


def settings(inputs):
    return {
        "clip": f"{SECONDS} s, {clip.WIDTH}x{clip.HEIGHT}, {clip.FPS} fps, H.264 and AAC",
        "clip_bytes": inputs.clip.stat().st_size,
        "clip_sha256": clip.sha256(inputs.clip),
        "recognition_model": "random weights in Whisper tiny's shape, half precision",
        "recognition_model_sha256": clip.sha256(inputs.whisper_model),
        "recognition": f"greedy, no fallback, {commands.TOKENS_PER_WINDOW} tokens a window, language known",
        "analysed_fps": commands.ANALYSED_FPS,
        "runs": RUNS,
        "long_minutes": LONG_MINUTES,
        "ours": "every core, settings otherwise as shipped",
        "peers": (Path(__file__).parents[1] / "requirements-bench.txt").read_text().split("\n"),
    }


def main():
    inputs = prepare()
    runs = Runs()
    for number in range(RUNS):
        print(f"round {number + 1} of {RUNS}", flush=True)
        measure_round(runs, inputs)
    outcome = result_rows(inputs)  # before the long run writes its own
    names = list(commands.peers(inputs, threads=1))
    floor, gflops = floor_seconds(runs)
    rows = [
        Row("sgemm_gflops", gflops, "GFLOP/s"),
        *(Row(f"floor_{part}_cpu_s", value, "s") for part, value in floor.items()),
        *stage_rows(runs, inputs, floor),
        *outcome,
        *peer_rows(runs, names),
        *memory_rows(runs, inputs),
        *startup_rows(runs, inputs),
        *required_rows(runs, names, floor),
    ]
    report.write(OUT / "pipeline.json", settings(inputs), rows)
    sys.exit(0 if report.show(rows) else 1)


if __name__ == "__main__":
    main()
