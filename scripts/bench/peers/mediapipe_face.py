"""Finds landmarks, blendshapes and the head's matrix with MediaPipe Tasks, 10 frames a second of a video.

usage: mediapipe_face.py face_landmarker.task VIDEO
"""

import json
import sys
import time

import cv2
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision

ANALYSED_FPS = 10


def main(model, video):
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        started = time.perf_counter(), time.process_time()
        capture = cv2.VideoCapture(video)
        keep_every = round(capture.get(cv2.CAP_PROP_FPS) / ANALYSED_FPS)
        rate = capture.get(cv2.CAP_PROP_FPS)
        frames = faces = number = 0
        network_s = network_cpu_s = 0.0
        while capture.grab():  # decodes; only the frames that are kept are converted to pixels
            if number % keep_every == 0:
                picture = cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
                asked, asked_cpu = time.perf_counter(), time.process_time()
                result = landmarker.detect_for_video(
                    mp.Image(image_format=mp.ImageFormat.SRGB, data=picture), round(1000 * number / rate)
                )
                network_s += time.perf_counter() - asked
                network_cpu_s += time.process_time() - asked_cpu
                frames += 1
                faces += bool(result.face_blendshapes)
            number += 1
        if frames == 0 or faces < frames // 2:
            raise SystemExit(f"a face in {faces} of {frames} frames: this measures nothing")
        print(
            json.dumps(
                {
                    "frames": frames,
                    "faces": faces,
                    "network_wall": network_s,
                    "network_cpu": network_cpu_s,
                    "wall": time.perf_counter() - started[0],
                    "cpu": time.process_time() - started[1],
                }
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
