"""The face against a rendered head of known pose, and against what MediaPipe's networks measured on real clips."""

import csv
import json

import clips
import numpy as np
from program import SHARED, features
from report import Row

AXES = ("yaw", "pitch", "roll")
MEDIAPIPE_POSE_DEG = {"yaw": 0.80, "pitch": 1.05, "roll": 0.53}  # listed beside the rendered head
POSE_BAR = "<= 1.5"
EVERY_FRAME = {"media.analysis_fps": 0}
LISTED_FPS = {"media.analysis_fps": 5, "media.frame_height": 0}
BOX_PX, BLENDSHAPE = 3, 0.05
SAME_TIME_S = 0.002
BLINK, BLINK_FRAMES = 0.4, range(3, 7)
STEADY_SHAPES = ("eyeBlinkLeft", "eyeSquintLeft", "jawOpen", "mouthPucker", "browInnerUp")


def pose_rows():
    """Mean absolute errors over every frame of the rendered head; a frame without a face fails its row."""
    with (SHARED / "reference/face/pose_head.truth.csv").open() as file:
        truth = list(csv.DictReader(file))
    ours = features("visual", SHARED / "reference/face/pose_head.mp4", EVERY_FRAME)
    times = np.array([float(row["time_s"]) for row in truth])
    same = len(times) == len(ours["time_s"]) and np.abs(times - ours["time_s"]).max() < SAME_TIME_S
    if not same:
        raise ValueError(f"{len(ours['time_s'])} rows for {len(times)} frames, or their times differ")
    seen = ours["face"] == 1
    rows = [Row("pose_frames_with_face", seen.mean(), "share", bar=">= 1")]
    for axis in AXES:
        errors = np.abs(ours[f"{axis}_deg"] - [float(row[f"{axis}_deg"]) for row in truth])
        rows.append(
            Row(f"pose_{axis}_deg", errors[seen].mean(), "degrees", peer=MEDIAPIPE_POSE_DEG[axis], bar=POSE_BAR)
        )
    return rows


def misses(ours, listed, tracking):
    """What of a clip lies outside its tolerance. The box comes from the detector: it counts without tracking only."""
    frames = listed.get("frames_with_face", 1)
    if ours["face"].sum() != frames or ours["face"].size != frames:
        yield f"a face in {ours['face'].sum():.0f} of {ours['face'].size} frames, {frames} listed"
    for shape, value in listed.get("mean_blendshapes", listed.get("top_blendshapes", {})).items():
        if not abs(ours[shape].mean() - value) <= BLENDSHAPE:
            yield f"{shape} {ours[shape].mean():.3f}, {value} listed"
    if "jawOpen_std" in listed and not abs(ours["jawOpen"].std() - listed["jawOpen_std"]) <= BLENDSHAPE:
        yield f"spread of jawOpen {ours['jawOpen'].std():.3f}, {listed['jawOpen_std']} listed"
    box = listed.get("mean_face_box_xywh", listed.get("box_xywh"))
    ours_box = [ours[side].mean() for side in ("x", "y", "width", "height")]
    if not tracking and not np.abs(np.subtract(ours_box, box)).max() <= BOX_PX:
        yield f"box {np.round(ours_box, 1)}, {box} listed"


def is_one_blink(ours):
    """Whether the lids close once, for as many frames as a blink has at 25 frames a second."""
    closed = np.concatenate([[0], ours["eyeBlinkLeft"] > BLINK, [0]]).astype(int)
    starts, ends = np.flatnonzero(np.diff(closed) == 1), np.flatnonzero(np.diff(closed) == -1)
    return starts.size == 1 and int(ends[0] - starts[0]) in BLINK_FRAMES


def clips_within(listed, media, settings):
    """How many clips are within all their listed tolerances, tracked and detected in every frame: both must hold."""
    good = 0
    for name, values in listed.items():
        problems = []
        for tracking in (True, False):
            ours = features("visual", media(name), settings | {"face.tracking": str(tracking).lower()})
            problems += [f"    {name}, tracking {tracking}: {problem}" for problem in misses(ours, values, tracking)]
        print(*problems, sep="\n", end="\n" if problems else "")
        good += not problems
    return good


def expected_rows(places):
    """The clips of the list, on the very frames that were measured for it and on those that the program chooses."""
    listed = json.loads((SHARED / "media/expected.json").read_text())
    listed = {name: values for name, values in listed.items() if "mean_face_box_xywh" in values or "box_xywh" in values}
    original = SHARED / "media"

    def sampled(name):
        is_photograph = "box_xywh" in listed[name]
        return original / name if is_photograph else clips.sampled(original / name, places.file("sampled.mkv"))

    same = clips_within(listed, sampled, EVERY_FRAME | {"media.frame_height": 0})
    own = clips_within(listed, lambda name: original / name, LISTED_FPS)
    blink = features("visual", original / "grid/sbwe5n.mpg", EVERY_FRAME)
    return [
        Row("face_expected_clips", same, f"of {len(listed)}", bar=f">= {len(listed)}"),
        Row("face_expected_clips_own_sampling", own, f"of {len(listed)}"),
        Row("face_blink_runs", float(is_one_blink(blink)), "of 1", bar=">= 1"),
    ]


def steadiness_rows(still):
    """Spread of blendshapes on a clip of one noisy photograph, tracked, against detection in every frame."""

    def spread(tracking):
        ours = features("visual", still, EVERY_FRAME | {"face.tracking": tracking})
        return np.mean([np.abs(np.diff(ours[shape])).mean() for shape in STEADY_SHAPES])

    return [Row("face_jitter_tracked_to_detected", spread("true") / spread("false"), "ratio", bar="<= 1")]
