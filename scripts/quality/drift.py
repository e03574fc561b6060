"""How far the face's numbers move when the same recording is scaled, mirrored, darkened, brightened or coded badly."""

from dataclasses import dataclass

import clips
import numpy as np
from face import AXES, EVERY_FRAME, STEADY_SHAPES
from program import SHARED, features
from report import Row

RECORDINGS = ("media/grid/pwij3p.mpg", "reference/face/pose_head.mp4")
SETTINGS = EVERY_FRAME | {"media.frame_height": 0}
KEPT = "select=not(mod(n\\,5)),setpts=N/5/TB"  # five frames a second, the same ones of every version
TURNED = {"yaw": -1, "pitch": 1, "roll": -1}  # what a mirror does to the angles


@dataclass
class Change:
    """What is done to the pictures: ffmpeg's filters, and its encoder where the loss is the change."""

    name: str
    filters: str
    encoder: tuple = ("ffv1",)
    mirrored: bool = False


def brightness(factor):
    return "lutrgb=" + ":".join(f"{channel}='clip(val*{factor},0,255)'" for channel in "rgb")


CHANGES = (
    Change("half_size", "scale=iw/2:-2"),
    Change("double_size", "scale=iw*2:-2"),
    Change("mirror", "hflip", mirrored=True),
    Change("brightness_0.5", brightness(0.5)),
    Change("brightness_1.6", brightness(1.6)),
    Change("jpeg", "format=yuvj420p", encoder=("mjpeg", "-q:v", 20)),
    Change("240p", "scale=-2:240"),
)


def other_side(shape):
    """A coefficient's name in a mirror."""
    swapped = {"Left": "Right", "Right": "Left"}
    return next((shape.removesuffix(side) + other for side, other in swapped.items() if shape.endswith(side)), shape)


def drift(plain, moved, mirrored):
    """Mean absolute differences of the three angles and of the five coefficients, over frames with a face in both."""
    both = (plain["face"] == 1) & (moved["face"] == 1)
    sign = TURNED if mirrored else dict.fromkeys(AXES, 1)
    angles = [np.abs(plain[f"{axis}_deg"] - sign[axis] * moved[f"{axis}_deg"])[both].mean() for axis in AXES]
    seen_as = other_side if mirrored else str
    shapes = [np.abs(plain[shape] - moved[seen_as(shape)])[both].mean() for shape in STEADY_SHAPES]
    return angles, shapes, both.mean()


def rows(places):
    """For each change the largest mean drift of an angle and of a coefficient over the recordings, and the faces kept."""
    plain = {}
    for name in RECORDINGS:
        kept = clips.changed(SHARED / name, places.file(f"plain-{len(plain)}.mkv"), KEPT)
        plain[name] = kept, features("visual", kept, SETTINGS)
    table = []
    for change in CHANGES:
        found = []
        for kept, before in plain.values():
            moved = clips.changed(kept, places.file("changed.mkv"), change.filters, change.encoder)
            found.append(drift(before, features("visual", moved, SETTINGS), change.mirrored))
        angles, shapes, seen = zip(*found)
        print(f"    {change.name}: angles {np.round(angles, 2).tolist()}, coefficients {np.round(shapes, 3).tolist()}")
        table += [
            Row(f"drift_{change.name}_pose", float(np.max(angles)), "degrees"),
            Row(f"drift_{change.name}_coefficients", float(np.max(shapes)), "of 0..1"),
            Row(f"drift_{change.name}_faces", float(np.min(seen)), "share", bar=">= 1"),
        ]
    return table
