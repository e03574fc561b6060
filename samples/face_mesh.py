"""MediaPipe's canonical face mesh, and the two ways in which this face moves: its jaw opens, its head turns.

Axes: x to the image's right, y up, z towards the camera; centimetres and degrees. The head turns by
R = Rz(roll) Ry(yaw) Rx(pitch): positive yaw turns the nose to the image's right, positive pitch turns it down, positive
roll turns the head counter-clockwise in the image.
"""

import struct
import zipfile

import numpy as np

GEOMETRY_FILE = "geometry_pipeline_metadata_landmarks.binarypb"
# Fields of mediapipe.face_geometry.Mesh3d in that file.
VERTEX_FIELD, INDEX_FIELD = 3, 4
FLOATS_PER_VERTEX = 5  # x, y, z, u, v

# Landmarks from the image's left corner to its right one, both corners left out.
UPPER_INNER_LIP = [191, 80, 81, 82, 13, 312, 311, 310, 415]
LOWER_INNER_LIP = [95, 88, 178, 87, 14, 317, 402, 318, 324]
LOWER_OUTER_LIP = [146, 91, 181, 84, 17, 314, 405, 321, 375]

JAW_HINGE = np.array([0.0, 0.5, -2.0])
# The canonical mesh shows parted lips: this closes them.
JAW_CLOSED_DEG = -4.6
JAW_OPEN_DEG = 8.0
# Skin below the first height follows the jaw in part, below the second in full.
JAW_FOLLOWS_FROM_CM, JAW_FOLLOWS_FULLY_CM = -4.2, -5.6
# How much the lower lip follows the jaw between its corners.
LIP_FOLLOWS = np.array([0.45, 0.8, 0.95, 1, 1, 1, 0.95, 0.8, 0.45])


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _fields(message):
    """(number, value) of each protobuf field; nested messages and packed numbers stay bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            value, at = _varint(message, at)
        else:
            length = {1: 8, 5: 4}.get(key & 7)
            if length is None:
                length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        yield key >> 3, value


def canonical_mesh(task_file):
    """Vertices [468, 3] in cm and triangles [898, 3] out of a face_landmarker.task archive."""
    with zipfile.ZipFile(task_file) as archive:
        metadata = archive.read(GEOMETRY_FILE)
    floats, indices = [], []
    for _, message in _fields(metadata):
        if not isinstance(message, bytes):
            continue
        try:
            parts = list(_fields(message))
        except IndexError:
            continue  # a packed list of numbers, not a message
        for number, value in parts:
            if number == VERTEX_FIELD:
                floats += struct.unpack(f"<{len(value) // 4}f", value)
            elif number == INDEX_FIELD:
                indices.append(value)
    vertices = np.array(floats).reshape(-1, FLOATS_PER_VERTEX)[:, :3]
    return vertices, np.array(indices).reshape(-1, 3)


def rotation(yaw, pitch, roll):
    """The head's rotation matrix of three angles in degrees."""
    cy, cp, cr = np.cos(np.radians([yaw, pitch, roll]))
    sy, sp, sr = np.sin(np.radians([yaw, pitch, roll]))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def jaw_weights(vertices):
    """How much each vertex follows the jaw, 0..1."""
    height = (JAW_FOLLOWS_FROM_CM - vertices[:, 1]) / (JAW_FOLLOWS_FROM_CM - JAW_FOLLOWS_FULLY_CM)
    share = np.clip(height, 0, 1)
    weights = share * share * (3 - 2 * share)
    weights[UPPER_INNER_LIP] = 0
    weights[LOWER_INNER_LIP] = weights[LOWER_OUTER_LIP] = LIP_FOLLOWS
    return weights


def with_jaw(vertices, weights, opening):
    """The vertices with the jaw turned about its hinge: `opening` 0 is closed, 1 wide open."""
    angle = np.radians(JAW_CLOSED_DEG + opening * (JAW_OPEN_DEG - JAW_CLOSED_DEG)) * weights
    _, y, z = (vertices - JAW_HINGE).T
    moved = vertices.copy()
    moved[:, 1] = JAW_HINGE[1] + np.cos(angle) * y - np.sin(angle) * z
    moved[:, 2] = JAW_HINGE[2] + np.sin(angle) * y + np.cos(angle) * z
    return moved


def vertex_normals(vertices, triangles):
    """Unit normals [N, 3]; they point to the side from which the triangles turn counter-clockwise."""
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(summed, triangles[:, corner], normals)
    return summed / (np.linalg.norm(summed, axis=1, keepdims=True) + 1e-9)
