"""The skin of a face that nobody has: drawn from the landmark contours of the canonical mesh, seen from the front.

Colours are BGR. Light is not in the texture: the renderer shades it, so that it stays with the room when the head
turns.
"""

import cv2
import numpy as np

from face_mesh import LOWER_INNER_LIP, UPPER_INNER_LIP

PIXELS_PER_CM = 60
SIZE = 20 * PIXELS_PER_CM

SKIN = (142, 176, 224)
BLUSH = (118, 138, 214)
SHADOW = (96, 122, 168)
LIP, LIP_LINE = (112, 116, 190), (70, 66, 130)
MOUTH, TEETH = (32, 24, 58), (205, 222, 230)
HAIR = (34, 46, 66)
LASH, CREASE = (30, 34, 48), (98, 122, 172)
SCLERA, IRIS, IRIS_RIM, PUPIL = (226, 230, 234), (92, 110, 96), (46, 56, 50), (14, 14, 14)

OUTER_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
BROWS = [[70, 63, 105, 66, 107, 55, 65, 52, 53, 46], [300, 293, 334, 296, 336, 285, 295, 282, 283, 276]]
NOSTRILS = [(98, 0.22), (327, -0.22)]
# Each eye: its corner at the image's left, then its lids from left to right, then the other corner.
EYES = [
    {
        "left": 33,
        "upper": [246, 161, 160, 159, 158, 157, 173],
        "lower": [7, 163, 144, 145, 153, 154, 155],
        "right": 133,
    },
    {
        "left": 362,
        "upper": [398, 384, 385, 386, 387, 388, 466],
        "lower": [382, 381, 380, 374, 373, 390, 249],
        "right": 263,
    },
]
# The drawn lids stand a little wider than the mesh's.
LID_WIDENING = 1.25
HAIRLINE_CM = 6.6


def _rounded(points, passes=3):
    """A closed contour with its corners cut (Chaikin)."""
    for _ in range(passes):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1).reshape(-1, 2)
    return points


def _curve(points, passes=3):
    """An open line with its corners cut; its ends stay."""
    for _ in range(passes):
        first, second = points[:-1], points[1:]
        inner = np.stack([0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], inner[1:-1], points[-1:]])
    return points


def _fill(image, contour, colour, softness=0.0, strength=1.0):
    """Blends a polygon into the image, its edge blurred by `softness` pixels."""
    mask = np.zeros(image.shape[:2], np.float32)
    cv2.fillPoly(mask, [(contour * 16).round().astype(np.int32)], 1.0, cv2.LINE_8, 4)
    mask = cv2.GaussianBlur(mask, (0, 0), max(softness, 0.8))[..., None] * strength
    image[:] = image * (1 - mask) + np.array(colour, np.float32) * mask


def _line(image, points, colour, width):
    cv2.polylines(image, [(points * 16).round().astype(np.int32)], False, colour, width, cv2.LINE_AA, 4)


def _glow(image, centre, radius, colour, strength):
    """Blends a soft elliptic spot into the image."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    distance = ((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2
    mask = (strength * np.exp(-distance))[..., None]
    image[:] = image * (1 - mask) + np.array(colour, np.float32) * mask


class FaceTexture:
    """The drawn face; `draw` gives it with its lids and gaze as wanted."""

    def __init__(self, vertices):
        self.uv = self._pixels(vertices[:, :2]).astype(np.float32)
        self._random = np.random.default_rng(1)
        image = np.full((SIZE, SIZE, 3), SKIN, np.float32)
        self._draw_skin(image)
        self._draw_nose_and_lips(image)
        self._draw_brows(image)
        self._draw_hairline(image)
        self._bare = image

    @staticmethod
    def _pixels(points):
        return np.stack([SIZE / 2 + points[..., 0] * PIXELS_PER_CM, SIZE / 2 - points[..., 1] * PIXELS_PER_CM], -1)

    def _draw_skin(self, image):
        at = lambda x, y: self._pixels(np.array([x, y], float))
        unit = PIXELS_PER_CM
        for side in (-1, 1):
            _glow(image, at(side * 4.3, -1.6), (2.2 * unit, 1.8 * unit), BLUSH, 0.35)
            _glow(image, at(side * 3.15, 2.9), (2.0 * unit, 1.1 * unit), SHADOW, 0.30)
            _glow(image, at(side * 1.45, 1.9), (0.5 * unit, 1.4 * unit), SHADOW, 0.25)
            _glow(image, at(side * 1.7, -1.0), (0.5 * unit, 0.9 * unit), SHADOW, 0.22)
        _glow(image, at(0, -0.7), (1.1 * unit, 0.9 * unit), BLUSH, 0.30)
        _glow(image, at(0, -6.2), (1.5 * unit, 0.4 * unit), SHADOW, 0.35)
        blotches = cv2.resize(self._random.normal(0, 2.5, (80, 80, 1)).astype(np.float32), (SIZE, SIZE))
        image += blotches[..., None] + self._random.normal(0, 2, image.shape)

    def _draw_nose_and_lips(self, image):
        for landmark, towards_middle in NOSTRILS:
            centre = self.uv[landmark] + np.array([towards_middle, 0.08]) * PIXELS_PER_CM
            _glow(image, centre, (0.26 * PIXELS_PER_CM, 0.15 * PIXELS_PER_CM), (40, 46, 80), 0.95)
        _fill(image, _rounded(self.uv[OUTER_LIPS], 2), LIP, softness=3)
        _glow(
            image,
            self.uv[17] - [0, 0.35 * PIXELS_PER_CM],
            (0.9 * PIXELS_PER_CM, 0.16 * PIXELS_PER_CM),
            (160, 165, 225),
            0.4,
        )
        upper, lower = self.uv[[78, *UPPER_INNER_LIP, 308]], self.uv[[78, *LOWER_INNER_LIP, 308]]
        _fill(image, np.concatenate([upper, lower[::-1]]), MOUTH, softness=1)
        _fill(image, np.concatenate([upper[2:-2], (0.55 * upper + 0.45 * lower)[2:-2][::-1]]), TEETH, 2, 0.85)
        _line(image, _curve(upper), LIP_LINE, 3)

    def _draw_brows(self, image):
        for brow in BROWS:
            top, bottom = _curve(self.uv[brow[:5]], 4), _curve(self.uv[brow[5:]][::-1], 4)
            middle = 0.5 * (top + bottom)
            top, bottom = middle + 0.8 * (top - middle), middle + 0.8 * (bottom - middle)
            _fill(image, np.concatenate([top, bottom[::-1]]), HAIR, softness=5, strength=0.75)
            for _ in range(260):
                k = self._random.integers(0, len(top) - 6)
                share = self._random.uniform(0, 0.7)
                root = top[k] * share + bottom[k] * (1 - share)
                tip = top[k + 5] * min(share + 0.35, 1) + bottom[k + 5] * max(0.65 - share, 0)
                tip = root + (tip - root) * min(1, 0.5 * PIXELS_PER_CM / (np.linalg.norm(tip - root) + 1e-6))
                _line(image, np.array([root, tip]), HAIR, 1)

    def _draw_hairline(self, image):
        """Hair over the top of the forehead, combed to one side."""
        x = np.linspace(-9, 9, 400)
        edge = HAIRLINE_CM - 0.035 * (x + 2.5) ** 2 + 0.12 * np.sin(1.7 * x)
        line = self._pixels(np.stack([x, edge], -1))
        _fill(image, np.concatenate([line, [[SIZE, 0], [0, 0]]]), HAIR, softness=6)
        for start in self._random.uniform(0, 400, 500).astype(int):
            root = line[start] - [0, self._random.uniform(0, 1.4) * PIXELS_PER_CM]
            tip = root + np.array([self._random.uniform(0.2, 0.7), self._random.uniform(-0.1, 0.35)]) * PIXELS_PER_CM
            shade = self._random.uniform(0.7, 1.5)
            _line(image, np.array([root, tip]), tuple(shade * channel for channel in HAIR), 1)

    def draw(self, lid_opening, gaze):
        """The texture [SIZE, SIZE, 3] uint8. `lid_opening` 0..1; `gaze` (right, down) in radii of the iris."""
        image = self._bare.copy()
        for eye in EYES:
            self._draw_eye(image, eye, lid_opening, np.asarray(gaze, float))
        return image.clip(0, 255).astype(np.uint8)

    def _draw_eye(self, image, eye, opening, gaze):
        corners, lower = self.uv[[eye["left"], eye["right"]]], self.uv[eye["lower"]]
        upper_open = lower + (self.uv[eye["upper"]] - lower) * LID_WIDENING
        upper = lower + (upper_open - lower) * opening
        ends = lambda lid: _curve(np.concatenate([corners[:1], lid, corners[1:]]))
        middle = 0.5 * (corners.mean(0) + 0.5 * (upper_open + lower).mean(0))
        radius = 0.27 * np.linalg.norm(corners[1] - corners[0])
        iris = middle + gaze * radius

        # Drawn on a cut-out: the rest of the texture does not change.
        x, y = (middle - 1.8 * PIXELS_PER_CM).astype(int)
        side = int(3.6 * PIXELS_PER_CM)
        view = image[y : y + side, x : x + side]
        corner = np.array([x, y])
        ball = np.full_like(view, SCLERA)
        at = tuple(((iris - corner) * 16).round().astype(int))
        for share, colour in ((1.0, IRIS_RIM), (0.86, IRIS), (0.45, PUPIL)):
            cv2.circle(ball, at, int(radius * share * 16), colour, -1, cv2.LINE_AA, 4)
        glint = tuple(((iris - corner + radius * np.array([-0.3, -0.35])) * 16).round().astype(int))
        cv2.circle(ball, glint, int(radius * 0.17 * 16), (250, 250, 250), -1, cv2.LINE_AA, 4)
        # The upper lid shades the ball.
        _line(ball, ends(upper) - corner + [0, 5], (150, 155, 165), 7)
        mask = np.zeros(view.shape[:2], np.float32)
        contour = np.concatenate([ends(upper), ends(lower)[::-1]]) - corner
        cv2.fillPoly(mask, [(contour * 16).round().astype(np.int32)], 1.0, cv2.LINE_8, 4)
        mask = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]
        view[:] = view * (1 - mask) + ball * mask
        _line(view, ends(lower) - corner, SHADOW, 2)
        _line(view, ends(upper) - corner, LASH, 5)
        crease = ends(upper_open + [0, -0.28 * PIXELS_PER_CM])[4:-4] - corner
        # The fold above the lid is smoothed out when the lid closes.
        _line(view, crease, (np.array(SKIN) + opening * (np.array(CREASE) - SKIN)).tolist(), 2)
