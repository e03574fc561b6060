"""Measures how well HireNet hears and sees, beside the field's own tools and constructed truth.

Run it through `make bench-quality`. Writes bench-out/quality.json and bench-out/quality.md, prints the table, and ends
with 1 where a bar is missed. QUALITY_ROUNDS (5) sets the rounds of the speed rows; QUALITY_ONLY names the groups of a
partial trial, which is not written.
"""

import math
import os
import sys
import time
import traceback
from pathlib import Path

import clips
import clock
import drawn
import drift
import face
import report
import speech
import speed
import voice
from program import ROOT, SHARED, Places
from report import Row

OUT = ROOT / "bench-out"
# Each group's measurement, and the required rows that fail where it cannot be made.
GROUPS = {
    "voice": (
        lambda _: voice.praat_rows(),
        (
            "vuv_agreement_all vuv_agreement_worst f0_within_3_percent formant_f1 formant_f2 formant_f3 "
            "jitter_ratio shimmer_ratio hnr_correlation"
        ),
    ),
    "spoken_clips": (
        voice.clips_rows,
        (
            "vuv_agreement_clips vuv_agreement_clips_worst f0_within_3_percent_clips f0_within_3_percent_clips_worst "
            "hnr_correlation_clips"
        ),
    ),
    "vowels": (lambda _: voice.constructed_rows(), "constructed_f0 constructed_formants constructed_jitter_shimmer constructed_hnr_db"),
    "voice_time": (speed.voice_rows, "voice_time_vs_praat"),
    "pose": (lambda _: face.pose_rows(), "pose_frames_with_face pose_yaw_deg pose_pitch_deg pose_roll_deg"),
    "expected": (face.expected_rows, "face_expected_clips face_blink_runs"),
    "still": (
        lambda places: face.steadiness_rows(clips.still(places.file("still.mp4"))),
        "face_jitter_tracked_to_detected",
    ),
    "drawn": (lambda _: drawn.rows(), "drawn_detected_vs_mediapipe drawn_followed_vs_mediapipe drawn_rising_series"),
    "drift": (drift.rows, "drift_mirror_pose"),
    "face_time": (speed.face_rows, "face_time_vs_mediapipe"),
    "activity": (lambda _: speech.activity_rows(), "vad_error"),
    "word_times": (speech.word_time_rows, "word_start_error_s words_recognised_for_times"),
    "word_errors": (speech.word_error_rows, "wer_vs_direct_points"),
    "invention": (speech.invention_rows, "invented_words"),
    "clock": (clock.rows, "clock_error_ms clock_error_of_tracks"),
}


def measure_group(name, places):
    """The group's rows; where it fails, its required rows without a value, and the reason aloud."""
    measure_rows, required = GROUPS[name]
    print(f"  {name}", flush=True)
    started = time.monotonic()
    try:
        rows = measure_rows(places)
    except Exception:  # whatever went wrong in one group, the others are still measured
        traceback.print_exc()
        rows = [Row(row, None, "") for row in required.split()]
    print(f"    {time.monotonic() - started:.0f} s", flush=True)
    for row in rows:
        row.value = None if row.value is None or not math.isfinite(row.value) else float(row.value)
    return rows


def settings():
    return {
        "rounds_of_speed": speed.ROUNDS,
        "voice_recording": f"{speed.VOICE_S} s, 16 kHz mono, one core",
        "face_recording": f"{speed.FACE_S} s of 1280x720 at 10 frames a second, tracked, one core",
        "recognition_model": "ggml-demo-en.bin, settings as shipped",
        "shared": SHARED.name,
        "peers": (Path(__file__).parents[1] / "requirements-bench.txt").read_text().split("\n"),
    }


def main():
    places = Places(OUT / "quality")
    places.work.mkdir(parents=True, exist_ok=True)
    only = os.environ.get("QUALITY_ONLY", "").split()
    if unknown := [name for name in only if name not in GROUPS]:
        sys.exit(f"QUALITY_ONLY: no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    rows = [row for name in only or GROUPS for row in measure_group(name, places)]
    if not only:
        report.write(OUT / "quality.json", settings(), rows)
        (OUT / "quality.md").write_text(report.markdown(rows))
    sys.exit(0 if report.show(rows) else 1)


if __name__ == "__main__":
    main()
