"""Speech: where it is, which words, when they begin, and that none are invented."""

import csv
import json
import re
import subprocess

import clips
import numpy as np
from program import ROOT, SHARED, features, transcribe
from report import Row

VAD_WINDOW_S = 0.032
WINDOW_S, HOP_S = 0.5, 0.25
LOOK_AHEAD_WORDS = 3
LEAST_RECOGNISED = 0.8  # the median of a few words would say little
WHISPERS_OWN_WORD_START_S = 0.14


def plain_words(text):
    """Lower-case words without punctuation: what word errors are counted on."""
    return re.sub(r"[^a-z0-9' ]", " ", text.lower()).split()


def word_errors(truth, found):
    """Fewest substitutions, insertions and deletions between two texts (Levenshtein)."""
    truth, found = plain_words(truth), plain_words(found)
    costs = list(range(len(found) + 1))
    for i, word in enumerate(truth, 1):
        diagonal, costs[0] = costs[0], i
        for j, other in enumerate(found, 1):
            diagonal, costs[j] = costs[j], min(costs[j] + 1, costs[j - 1] + 1, diagonal + (word != other))
    return costs[-1]


def text_of(transcript):
    return " ".join(word["text"] for word in transcript["words"])


def speech_s(media):
    """Seconds of speech: every second window of the track covers the recording once, the last one as far as it goes."""
    track = features("vocal", media, windows=True)
    share, start, end = (track[name][::2] for name in ("speech_share", "start_s", "end_s"))
    return float(np.sum(share * (np.minimum(end, start + WINDOW_S) - start)))


def activity_rows():
    """The worst clip's seconds of speech against the listed windows of 32 ms."""
    listed = json.loads((SHARED / "media/expected.json").read_text())
    errors = {}
    for name, values in listed.items():
        if "vad_speech_windows" in values:
            expected = values["vad_speech_windows"] * VAD_WINDOW_S
            errors[name] = abs(speech_s(SHARED / "media" / name) / expected - 1)
    print("   ", {name: round(error, 3) for name, error in errors.items()}, flush=True)
    return [Row("vad_error", max(errors.values()), "relative", bar="<= 0.05")]


def start_errors(sentence, folder):
    """Errors of the word starts that were recognised in one synthetic sentence."""
    spoken = folder / "sentence.wav"
    subprocess.run(["espeak-ng", "-v", sentence["voice"], "-w", spoken, sentence["text"]], check=True)
    found = transcribe(spoken)["words"]
    at, errors = 0, []
    for text, start in sentence["words"]:
        ahead = range(at, min(at + LOOK_AHEAD_WORDS, len(found)))
        match = next((i for i in ahead if plain_words(found[i]["text"]) == plain_words(text)), None)
        if match is not None:
            errors.append(abs(found[match]["start"] - start))
            at = match + 1
    return errors


def word_time_rows(places):
    """Against the times that the synthesiser tells, as the recognition's own tests use them."""
    sentences = json.loads((ROOT / "pipeline/speech/tests/data/word_times.json").read_text())
    errors = [error for sentence in sentences for error in start_errors(sentence, places.work)]
    recognised = len(errors) / sum(len(sentence["words"]) for sentence in sentences)
    return [
        Row("words_recognised_for_times", recognised, "share", bar=f">= {LEAST_RECOGNISED}"),
        Row("word_start_error_s", float(np.median(errors)), "s", peer=WHISPERS_OWN_WORD_START_S, bar="<= 0.16"),
    ]


def word_error_rows(places):
    """Word errors of each sentence in a video, against recognising its sound directly with whisper.cpp."""
    video = places.file("sentence.mp4")
    words = ours = direct = 0
    with (SHARED / "media/demo-voice/list.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            clips.with_picture(SHARED / "media/demo-voice" / row["file"], video)
            words += len(plain_words(row["text"]))
            ours += word_errors(row["text"], text_of(transcribe(video)))
            direct += word_errors(row["text"], row["recognised_directly"])
    ours_percent, direct_percent = 100 * ours / words, 100 * direct / words
    return [
        Row("word_errors_percent", ours_percent, "%", peer=direct_percent),
        Row("wer_vs_direct_points", ours_percent - direct_percent, "points", bar="<= 3"),
    ]


def invention_rows(places):
    """Words recognised where nobody speaks."""
    answer = clips.muted(ROOT / "samples/a1.mp4", places.file("muted.mp4"))
    silent = [*clips.wordless(places.work), answer]
    return [Row("invented_words", sum(len(transcribe(media)["words"]) for media in silent), "words", bar="<= 0")]
