"""The drawn face, whose gaze, lids and jaw are known, against MediaPipe's own coefficients on the same pictures."""

import csv

import cv2
import mediapipe
import numpy as np
from program import ROOT, SHARED, features
from report import Row

DATA = ROOT / "pipeline/face/tests/data"
EVERY_FRAME = {"media.analysis_fps": 0, "media.frame_height": 0}
# What is drawn in steps, and the columns that must rise with it.
RISING = {
    "gaze_right": ("gaze_yaw_deg", "eyeLookOutLeft", "eyeLookInRight"),
    "gaze_down": ("gaze_pitch_deg", "eyeLookDownLeft", "eyeLookDownRight"),
    "lids_closed": ("eyeBlinkLeft", "eyeBlinkRight"),
    "jaw_cm": ("jawOpen",),
}
COMPARED = ("eyeLook", "eyeBlink", "jawOpen")
LOOK, BLINK, CLOSED = "eyeLook", "eyeBlinkLeft", 0.6  # where a shut eye looks, nobody can tell


def mediapipes_own(video):
    """Coefficients by name of each picture, detected by itself."""
    vision = mediapipe.tasks.vision
    base = mediapipe.tasks.BaseOptions(model_asset_path=str(SHARED / "models/face_landmarker.task"))
    options = vision.FaceLandmarkerOptions(base_options=base, output_face_blendshapes=True)
    pictures = cv2.VideoCapture(str(video))
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        while True:
            there, picture = pictures.read()
            if not there:
                return
            rgb = mediapipe.Image(
                image_format=mediapipe.ImageFormat.SRGB, data=cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            )
            (found,) = landmarker.detect(rgb).face_blendshapes
            yield {shape.category_name: shape.score for shape in found}


def largest_difference(ours, theirs):
    """Over all pictures and compared coefficients, those of the gaze where the eyes are open."""
    differences = [
        abs(ours[name][n] - score)
        for n, picture in enumerate(theirs)
        for name, score in picture.items()
        if name.startswith(COMPARED) and not (name.startswith(LOOK) and picture[BLINK] > CLOSED)
    ]
    return max(differences)


def rows():
    """Largest distance from MediaPipe's coefficients, detected and followed, and how many series rise in every step."""
    video = DATA / "drawn_face.mp4"
    drawn = np.array([row["what"] for row in csv.DictReader((DATA / "drawn_face.csv").open())])
    theirs = list(mediapipes_own(video))
    table, rising = [], []
    for name, tracking in (("detected", "false"), ("followed", "true")):
        ours = features("visual", video, EVERY_FRAME | {"face.tracking": tracking})
        table.append(
            Row(f"drawn_{name}_vs_mediapipe", float(largest_difference(ours, theirs)), "of 0..1", bar="<= 0.15")
        )
        for what, columns in RISING.items():
            rising += [(np.diff(ours[column][drawn == what]) > 0).all() for column in columns]
    return [*table, Row("drawn_rising_series", float(sum(rising)), f"of {len(rising)}", bar=f">= {len(rising)}")]
