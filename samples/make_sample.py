#!/usr/bin/env python3
"""Makes the sample interview: interview.json, a1.mp4 a2.mp4 a3.mp4 and truth.json in this folder.

    python3 -m venv /tmp/sample && /tmp/sample/bin/pip install -r samples/requirements.txt
    hirenet models pull face_landmarker
    /tmp/sample/bin/python samples/make_sample.py --task models/face_landmarker.task

Needs the programs espeak-ng and ffmpeg (with libx264). The same versions give the same files; README.md names them.
"""

import argparse
import hashlib
import json
import subprocess
import tempfile
import wave
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

from head_renderer import HEIGHT, WIDTH, HeadRenderer
from performance import Performance

FOLDER = Path(__file__).resolve().parent
FRAMES_PER_SECOND = 25
VOICE = "en-gb"
SILENCE_BEFORE_S, SILENCE_AFTER_S = 0.5, 0.6
POSE_EVERY_S = 0.1

ANSWERS = [
    {
        "id": "a1",
        "seed": 11,
        "question": "Can you tell me about a time when you worked in a team?",
        "text": "Last year I worked in a team of five people. We had to build a new website in three months. "
        "I talked to everyone every morning and made a simple plan. "
        "In the end, we finished two weeks early and the client was happy.",
    },
    {
        "id": "a2",
        "seed": 22,
        "question": "How do you deal with a conflict at work?",
        "text": "Two people in my team did not agree about the design. "
        "I listened to both of them and asked some questions. "
        "Then we looked at the facts and found a solution together. "
        "I learned that it is important to stay calm and to listen.",
    },
    {
        "id": "a3",
        "seed": 33,
        "question": "What motivates you?",
        "text": "I like to solve hard problems and to learn new things. "
        "It makes me happy when a customer says thank you. "
        "I also enjoy teaching young people in my team. In five years, I would like to lead a larger project.",
    },
]

INTERVIEW = {
    "job_id": "6f1c2f0e-52a4-4c61-9d55-0b5f7a3c9a10",
    "tenant": "sample",
    "interview_id": "sample-interview",
    "candidate": "nobody",
    "position": {"id": "sample-project-manager", "title": "Project manager"},
    "language": "en",
    "consent": {
        "version": "sample-1",
        "given_at": "2026-11-23T09:00:00Z",
        "modalities": ["verbal", "vocal", "visual"],
        "face_waiver": {"name_on_file": True, "interview_date": "2026-11-23", "consented": True, "read": True},
    },
    "retention_days": 30,
}


def speak(text, wav):
    """Speaks `text` into the file `wav`, with silence before and after; gives the samples and their rate."""
    subprocess.run(["espeak-ng", "-v", VOICE, "-w", wav, text], check=True)
    with wave.open(str(wav)) as sound:
        rate, samples = sound.getframerate(), np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    silences = [np.zeros(int(seconds * rate), np.int16) for seconds in (SILENCE_BEFORE_S, SILENCE_AFTER_S)]
    samples = np.concatenate([silences[0], samples, silences[1]])
    with wave.open(str(wav), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())
    return samples, rate


def encoder(wav, mp4):
    """ffmpeg, waiting for raw frames. One thread, no dates, no versions: the file depends on its input alone."""
    frames = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FRAMES_PER_SECOND), "-i", "-"]
    video = ["-c:v", "libx264", "-preset", "slow", "-crf", "21", "-pix_fmt", "yuv420p", "-threads", "1"]
    audio = ["-c:a", "aac", "-b:a", "64k", "-ar", "48000", "-ac", "1"]
    plain = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    inputs, output = [*frames, "-i", wav], ["-movflags", "+faststart", mp4]
    command = ["ffmpeg", "-v", "error", "-y", *inputs, *video, *audio, *plain, *output]
    return subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE)


def make_answer(task):
    """Speaks, renders and encodes one answer; gives its truth."""
    answer, task_file = task
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        wav = Path(scratch) / "voice.wav"
        samples, rate = speak(answer["text"], wav)
        frame_times = np.arange(int(len(samples) / rate * FRAMES_PER_SECOND)) / FRAMES_PER_SECOND
        performance, head = Performance(answer["seed"], samples, rate, frame_times), HeadRenderer(task_file)
        process = encoder(wav, FOLDER / f"{answer['id']}.mp4")
        for t in frame_times:
            moment = performance.at(t)
            picture = head.draw(moment.pose, moment.position, moment.lid_opening, moment.gaze, moment.jaw_opening)
            process.stdin.write(picture.tobytes())
        process.stdin.close()
        if process.wait():
            raise SystemExit(f"ffmpeg failed on answer {answer['id']}")
    pose = []
    for t in np.arange(0, frame_times[-1], POSE_EVERY_S):
        yaw, pitch, roll = (round(angle, 2) for angle in performance.pose(t))
        pose.append({"time_s": round(float(t), 2), "yaw_deg": yaw, "pitch_deg": pitch, "roll_deg": roll})
    return {"id": answer["id"], "text": answer["text"], "blinks_s": performance.blinks, "pose": pose}


def interview():
    """The message, with the hashes of the media that are here."""
    answers = []
    for answer in ANSWERS:
        media = f"{answer['id']}.mp4"
        sha256 = hashlib.sha256((FOLDER / media).read_bytes()).hexdigest()
        answers.append({"id": answer["id"], "question": answer["question"], "media": media, "sha256": sha256})
    return INTERVIEW | {"answers": answers}


def write_truth(answers):
    """truth.json with one pose a line: short, and readable in a diff."""
    blocks = []
    for answer in answers:
        head = json.dumps({key: answer[key] for key in ("id", "text", "blinks_s")})[:-1]
        poses = ",\n   ".join(json.dumps(pose) for pose in answer["pose"])
        blocks.append(f'  {head},\n   "pose": [\n   {poses}]}}')
    (FOLDER / "truth.json").write_text('{"answers": [\n' + ",\n".join(blocks) + "\n]}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, type=Path, help="face_landmarker.task, for the canonical face mesh")
    parser.add_argument("--jobs", type=int, default=2, help="answers made at a time")
    arguments = parser.parse_args()
    with Pool(arguments.jobs) as pool:
        truth = pool.map(make_answer, [(answer, arguments.task) for answer in ANSWERS], chunksize=1)
    write_truth(truth)
    (FOLDER / "interview.json").write_text(json.dumps(interview(), indent=2) + "\n")


if __name__ == "__main__":
    main()
