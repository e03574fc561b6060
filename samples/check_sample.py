#!/usr/bin/env python3
"""Measures the sample's videos with MediaPipe's own face landmarker and compares them with truth.json.

check_sample.py --task face_landmarker.task        # needs all of requirements.txt; ends with 1 where a bound is broken
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import mediapipe
import numpy as np

from performance import CLOSED_S, CLOSING_S, OPENING_S

FOLDER = Path(__file__).resolve().parent
POSE_ERROR_DEG = 4.0
BLINK_CLOSED, BLINK_OPEN = 0.4, 0.2
# A frame this close to a blink shows neither open nor closed lids.
BLINK_MARGIN_S = CLOSED_S / 2 + max(CLOSING_S, OPENING_S) + 0.05

vision = mediapipe.tasks.vision


def measured(media, task_file):
    """(time, yaw, pitch, roll, eyeBlink, jawOpen) of every frame; None for the numbers where no face is found."""
    options = vision.FaceLandmarkerOptions(
        base_options=mediapipe.tasks.BaseOptions(model_asset_path=str(task_file)),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    video = cv2.VideoCapture(str(media))
    rate = video.get(cv2.CAP_PROP_FPS)
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        frame = 0
        while True:
            there, picture = video.read()
            if not there:
                return
            rgb = mediapipe.Image(
                image_format=mediapipe.ImageFormat.SRGB, data=cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            )
            found = landmarker.detect_for_video(rgb, round(1000 * frame / rate))
            yield frame / rate, numbers(found) if found.face_landmarks else None
            frame += 1


def numbers(found):
    r = found.facial_transformation_matrixes[0][:3, :3]
    angles = np.degrees([np.arcsin(-r[2, 0]), np.arctan2(r[2, 1], r[2, 2]), np.arctan2(r[1, 0], r[0, 0])])
    shape = {category.category_name: category.score for category in found.face_blendshapes[0]}
    return [*angles, (shape["eyeBlinkLeft"] + shape["eyeBlinkRight"]) / 2, shape["jawOpen"]]


def check(answer, task_file):
    """Prints what was measured in one answer; True where it keeps the bounds."""
    rows = list(measured(FOLDER / f"{answer['id']}.mp4", task_file))
    with_face = [(t, values) for t, values in rows if values]
    times, values = np.array([t for t, _ in with_face]), np.array([v for _, v in with_face])
    truth_times = [pose["time_s"] for pose in answer["pose"]]
    errors = []
    for k, axis in enumerate(("yaw_deg", "pitch_deg", "roll_deg")):
        truth = np.interp(times, truth_times, [pose[axis] for pose in answer["pose"]])
        errors.append(np.abs(values[:, k] - truth)[times <= truth_times[-1]])
    distance = np.min(np.abs(times[:, None] - np.array(answer["blinks_s"])), axis=1)
    closed, opened = values[distance < CLOSED_S / 2, 3], values[distance > BLINK_MARGIN_S, 3]
    share = 100 * len(with_face) / len(rows)
    jaw = values[:, 4]
    print(
        f"{answer['id']}: face in {len(with_face)} of {len(rows)} frames; "
        f"mean error yaw {errors[0].mean():.2f}, pitch {errors[1].mean():.2f}, roll {errors[2].mean():.2f}; "
        f"95th percentile {np.percentile(errors[0], 95):.1f}, {np.percentile(errors[1], 95):.1f}, "
        f"{np.percentile(errors[2], 95):.1f}; eyeBlink closed {closed.min():.2f}..{closed.max():.2f}, "
        f"open at most {opened.max():.2f}; {len(answer['blinks_s'])} blinks; jawOpen {jaw.min():.2f}..{jaw.max():.2f}"
    )
    pose_kept = all(np.percentile(error, 95) <= POSE_ERROR_DEG for error in errors)
    return share == 100 and pose_kept and closed.min() >= BLINK_CLOSED and opened.max() < BLINK_OPEN


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, type=Path, help="face_landmarker.task")
    arguments = parser.parse_args()
    answers = json.loads((FOLDER / "truth.json").read_text())["answers"]
    kept = [check(answer, arguments.task) for answer in answers]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
