"""Draws a head with hair, neck and shoulders before a wall, seen by a pinhole camera.

Triangles are painted from the farthest to the nearest into a picture of triangle numbers; colours are then computed for
all pixels at once. Pictures are drawn at twice their size and shrunk, which smooths the edges.
"""

import cv2
import numpy as np

from face_mesh import canonical_mesh, jaw_weights, rotation, vertex_normals, with_jaw
from face_texture import HAIR, SKIN, FaceTexture

WIDTH, HEIGHT = 640, 480
OVERSAMPLING = 2
FOV_DEG = 50.0
FOCAL_PX = OVERSAMPLING * HEIGHT / 2 / np.tan(np.radians(FOV_DEG / 2))
# A lamp at the upper left, before the face.
LIGHT = np.array([-0.40, 0.45, 0.80]) / np.linalg.norm([-0.40, 0.45, 0.80])
AMBIENT, DIFFUSE = 0.50, 0.58
SHIRT = (110, 84, 58)
# The face lies in front of the skull that it is a part of, the skull before the shoulders, they before the neck.
FACE_NEARER_CM, SHOULDERS_FARTHER_CM, NECK_FARTHER_CM = 3.0, -200.0, -300.0
HAIR_DOWN_TO_CM = 0.5
# The chin's shadow on the neck, and the upper edge of the collar, cm.
SHADOW_FROM_CM, SHADOW_TO_CM, COLLAR_CM = -9.0, -13.0, -13.2


def ellipsoid(centre, radii, columns=48, rows=28):
    """Vertices and outward triangles of an ellipsoid."""
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    up = np.linspace(-np.pi / 2, np.pi / 2, rows)
    unit = np.array([[np.cos(q) * np.cos(t), np.sin(q), np.cos(q) * np.sin(t)] for q in up for t in around])
    quads = [
        (i * columns + j, i * columns + (j + 1) % columns, (i + 1) * columns + j, (i + 1) * columns + (j + 1) % columns)
        for i in range(rows - 1)
        for j in range(columns)
    ]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, c, b), (b, c, d))])
    return unit * radii + centre, triangles


class Part:
    """A mesh with one colour for each vertex; `turns`: it moves with the head, not with the shoulders."""

    def __init__(self, mesh, colours, turns=True, nearer=0.0):
        self.vertices, self.triangles = mesh
        self.colours = np.broadcast_to(np.asarray(colours, float), self.vertices.shape)
        self.turns, self.nearer = turns, nearer


def _skull():
    vertices, triangles = ellipsoid((0, 2.2, -4.3), (8.7, 10.5, 9.6))
    colours = np.where(vertices[:, 1:2] > HAIR_DOWN_TO_CM, np.array(HAIR, float), np.array(SKIN, float) * 0.8)
    return Part((vertices, triangles), colours)


def _neck():
    vertices, triangles = ellipsoid((0, -11, -5.5), (5.6, 14, 5.2), rows=90)
    shadow = np.clip((vertices[:, 1:2] - SHADOW_TO_CM) / (SHADOW_FROM_CM - SHADOW_TO_CM), 0, 1)
    skin, collar = np.array(SKIN, float) * (0.88 - 0.36 * shadow), np.array(SHIRT) * 1.2
    return Part((vertices, triangles), np.where(vertices[:, 1:2] > COLLAR_CM, skin, collar), False, NECK_FARTHER_CM)


def _wall(seed):
    """An office out of focus, and darker towards the corners."""
    random = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), (170, 166, 158), np.float32)
    cv2.rectangle(picture, (440, -10), (620, 210), (214, 208, 196), -1)
    for y in (110, 200, 290):
        x = 20
        while x < 190:
            width, height = int(random.integers(9, 20)), int(random.integers(42, 66))
            cv2.rectangle(
                picture,
                (x, y - height),
                (x + width, y),
                tuple(random.uniform(80, 150) + random.uniform(-22, 22, 3)),
                -1,
            )
            x += width + 2
        cv2.rectangle(picture, (12, y), (196, y + 7), (84, 104, 126), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), 9)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    vignette = 1 - 0.28 * (((x / WIDTH - 0.5) / 0.5) ** 2 + ((y / HEIGHT - 0.5) / 0.5) ** 2) / 2
    return picture * vignette[..., None]


class HeadRenderer:
    """The head of one face_landmarker.task, ready to be drawn frame by frame."""

    def __init__(self, task_file):
        self.vertices, self.triangles = canonical_mesh(task_file)
        self.jaw_weights = jaw_weights(self.vertices)
        self.texture = FaceTexture(self.vertices)
        ear, ear_radii = np.array([8.35, 0.6, -3.4]), (0.8, 2.0, 1.3)
        self.parts = [
            _neck(),
            Part(ellipsoid((0, -24.5, -6), (22, 9.5, 8)), SHIRT, False, SHOULDERS_FARTHER_CM),
            _skull(),
            Part(ellipsoid(ear * [-1, 1, 1], ear_radii, 20, 12), np.array(SKIN) * 0.95),
            Part(ellipsoid(ear, ear_radii, 20, 12), np.array(SKIN) * 0.95),
        ]
        wall = _wall(seed=4)
        self.wall = cv2.resize(wall, None, fx=OVERSAMPLING, fy=OVERSAMPLING, interpolation=cv2.INTER_CUBIC)

    def draw(self, pose, position, lid_opening, gaze, jaw_opening):
        """One BGR frame [HEIGHT, WIDTH, 3].

        pose: yaw, pitch, roll in degrees. position: x, y and distance of the head in cm. lid_opening and jaw_opening in
        0..1. gaze: (right, down) in radii of the iris.
        """
        turn, shift = rotation(*pose), np.array([position[0], position[1], -position[2]])
        shoulders_shift = shift * [0.4, 0.4, 1.0]
        face = with_jaw(self.vertices, self.jaw_weights, jaw_opening) @ turn.T + shift
        placed = [p.vertices @ turn.T + shift if p.turns else p.vertices + shoulders_shift for p in self.parts]
        meshes = [(face, self.triangles, FACE_NEARER_CM)]
        meshes += [(vertices, part.triangles, part.nearer) for vertices, part in zip(placed, self.parts)]
        numbers, screen, triangles = self._paint(meshes)

        light = [AMBIENT + DIFFUSE * np.clip(vertex_normals(v, t) @ LIGHT, 0, None)[:, None] for v, t, _ in meshes]
        values = [np.concatenate([self.texture.uv, light[0]], 1)]
        values += [part.colours * part_light for part, part_light in zip(self.parts, light[1:])]
        texture = self.texture.draw(lid_opening, gaze)
        picture = self._colour(numbers, screen[triangles], np.concatenate(values)[triangles], texture)
        small = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return small.clip(0, 255).astype(np.uint8)

    @staticmethod
    def _paint(meshes):
        """Number of the visible triangle at each pixel (-1: none), vertices on the screen, and all triangles."""
        offsets = np.cumsum([0, *(len(vertices) for vertices, _, _ in meshes)])
        vertices = np.concatenate([vertices for vertices, _, _ in meshes])
        triangles = np.concatenate([mesh[1] + offset for mesh, offset in zip(meshes, offsets)])
        nearer = np.concatenate([np.full(len(mesh[1]), mesh[2]) for mesh in meshes])
        centre = OVERSAMPLING * np.array([WIDTH / 2, HEIGHT / 2])
        screen = centre + FOCAL_PX * vertices[:, :2] * [1, -1] / -vertices[:, 2:]
        a, b, c = (screen[triangles[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        visible = np.flatnonzero(area < -1e-6)
        depth = -vertices[triangles[visible], 2].mean(1) - nearer[visible]
        numbers = np.full((OVERSAMPLING * HEIGHT, OVERSAMPLING * WIDTH), -1.0, np.float32)
        corners = (screen[triangles] * 16).round().astype(np.int32)
        for triangle in visible[np.argsort(-depth, kind="stable")]:
            cv2.fillConvexPoly(numbers, corners[triangle], float(triangle), cv2.LINE_8, 4)
        return numbers.astype(np.int32), screen, triangles

    def _colour(self, numbers, corners, values, texture):
        """The picture. `values` [T, 3 corners, 3]: place in the texture and light for the face, colour for the rest."""
        picture = self.wall.copy()
        rows, columns = np.nonzero(numbers >= 0)
        number = numbers[rows, columns]
        shown = np.bincount(number, minlength=len(corners)) > 0
        low, high = values.min(1).astype(np.float32), values.max(1).astype(np.float32)
        plane = _planes(corners, values, shown)[number]
        x, y = columns.astype(np.float32)[:, None], rows.astype(np.float32)[:, None]
        value = plane[:, 0] * x + plane[:, 1] * y + plane[:, 2]
        # Where a pixel's centre lies just outside of its triangle, the plane would run away.
        value = np.clip(value, low[number], high[number])
        is_face = number < len(self.triangles)
        u, v, light = value[is_face].T
        value[is_face] = _sampled(texture, np.stack([u, v], -1)) * light[:, None]
        picture[rows, columns] = value
        return picture


def _planes(corners, values, shown):
    """[T, 3, 3]: slopes along x and y and the value at (0, 0) of each value over each triangle that is shown."""
    equations = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], 2)
    planes = np.zeros(values.shape, np.float32)
    planes[shown] = np.linalg.solve(equations[shown], values[shown])
    return planes


def _sampled(texture, uv):
    """Texture colours [N, 3] at N places; cv2.remap takes no row longer than 32767."""
    rows = -(-len(uv) // 4096)
    padded = np.resize(uv, (rows * 4096, 2)).reshape(rows, 4096, 2)
    return cv2.remap(texture, padded, None, cv2.INTER_LINEAR).reshape(-1, 3)[: len(uv)]
