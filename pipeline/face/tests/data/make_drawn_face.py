#!/usr/bin/env python3
"""Draws the drawn-face test clip: one frame for each value of gaze, lids and jaw, and its values beside it.

    make_drawn_face.py TOOLS TASK OUT      # TOOLS: the folder of render_head.py and drawn_face.py; TASK: face_landmarker.task

Writes OUT.mp4 and OUT.csv. Nobody's photograph is in it. Needs numpy, opencv-python-headless and the ffmpeg program.
"""
import csv, subprocess, sys
import cv2, numpy as np
sys.path.insert(0, sys.argv[1])
import render_head as render
from drawn_face import drawn_texture

STEPS = 5
MOUTH_LINE_CM = -3.75


def head(vertices, triangles, open_share=1.0, gaze=(0.0, 0.0), jaw_cm=0.0):
    h = render.Head.__new__(render.Head)
    h.vertices, h.triangles, h.skull = vertices.copy(), triangles, render.skull()
    image, h.uv = drawn_texture(vertices, triangles, open_share, gaze)
    h.vertices[vertices[:, 1] < MOUTH_LINE_CM, 1] -= jaw_cm
    h.texture = cv2.resize(image, None, fx=h.SCALE, fy=h.SCALE, interpolation=cv2.INTER_CUBIC)
    return h


def cases():
    for value in np.linspace(-0.7, 0.7, STEPS): yield 'gaze_right', value, {'gaze': (value, 0)}
    for value in np.linspace(-0.7, 0.7, STEPS): yield 'gaze_down', value, {'gaze': (0, value)}
    for value in np.linspace(1.0, 0.05, STEPS): yield 'lids_closed', 1 - value, {'open_share': value}
    for value in np.linspace(0.0, 1.5, STEPS): yield 'jaw_cm', value, {'jaw_cm': value}


def main():
    vertices, triangles = render.canonical_mesh(sys.argv[2])
    noise = np.random.default_rng(2)
    background = cv2.resize(noise.integers(90, 170, (6, 8, 3), dtype=np.uint8), (render.W, render.H), interpolation=cv2.INTER_CUBIC)
    encoder = subprocess.Popen(['ffmpeg', '-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'bgr24', '-s', f'{render.W}x{render.H}', '-r', '1', '-i', '-',
                                '-c:v', 'libx264', '-crf', '24', '-pix_fmt', 'yuv420p', sys.argv[3] + '.mp4'], stdin=subprocess.PIPE)
    with open(sys.argv[3] + '.csv', 'w', newline='') as f:
        rows = csv.writer(f, lineterminator='\n'); rows.writerow(['what', 'value'])
        for what, value, settings in cases():
            frame = head(vertices, triangles, **settings).draw((0, 0, 0), (0, 0, 36), background)
            encoder.stdin.write(np.clip(frame + noise.normal(0, 1, frame.shape), 0, 255).astype(np.uint8).tobytes())
            rows.writerow([what, f'{value:.3f}'])
    encoder.stdin.close()
    if encoder.wait(): raise SystemExit('ffmpeg failed')


if __name__ == '__main__':
    main()
