"""The voice against constructed vowels (the truth) and against Praat's published-parameter tables (a peer)."""

import csv
import json
import sys
from pathlib import Path

import clip
import measure
import numpy as np
from program import SHARED, columns, features
from report import Row

REAL = ("real_jfk", "real_librivox_a", "real_fleurs_fr_a")
CONSTRUCTED = "vowels_a"
# Real speech of which there is no table: Praat measures it in the same run.
SPOKEN = ("audio/*.ogg", "audio/*.wav", "en_*.mp4", "*_interview_*.webm", "grid/*.mpg")
ALL = (*REAL, "espeak_en_m", "espeak_fr_f_noise", CONSTRUCTED)
ALTERNATING_S = (5.0, 6.4)  # the vowel with 2 % alternating jitter, which Praat hears an octave low
EDGE_S = 0.1  # left out at both ends of a constructed vowel
LOUD_DB = -20
NO_HNR_DB = -200  # Praat's mark of a frame without a ratio
HOP, RATE = 160, 16000
# Agreement of the field's other standard pitch tracker with Praat on the same files, measured once elsewhere.
OTHER_TRACKER_ALL, OTHER_TRACKER_WORST = 0.93, 0.88
F0_TOLERANCE = 0.03
FORMANT_TOLERANCE = {"F1": 0.05, "F2": 0.04, "F3": 0.03}
# Between harmonics further apart than the formant is high, nobody can tell where F1 lies.
F1_UNDER_SPARSE_HARMONICS, SPARSE = 0.25, 1.6


def reference(name, ending):
    return SHARED / f"reference/voice/{name}.{ending}"


def f0_hz(ours):
    semitones = ours["F0semitoneFrom27.5Hz_sma3nz"]
    return np.where(semitones > 0, 27.5 * np.exp2(semitones / 12), 0)


def level_db(name, times):
    """Level of the 20 ms around each time."""
    samples = np.frombuffer(reference(name, "wav").read_bytes()[44:], "<i2") / 32768
    frames = (samples[max(0, round(t * RATE) - HOP) : round(t * RATE) + HOP] for t in times)
    return np.array([10 * np.log10(max(np.mean(frame**2), 1e-20)) if frame.size else -200 for frame in frames])


class Pair:
    """Ours and Praat's values on the frames that both have, and our whole table."""

    def __init__(self, name):
        self.name = name
        self.all_ours = features("vocal", reference(name, "wav"))
        praat = columns(reference(name, "praat.csv").read_text())
        ours_at = {round(t * 100): k for k, t in enumerate(self.all_ours["time_s"])}
        shared = [(k, ours_at[round(t * 100)]) for k, t in enumerate(praat["time_s"]) if round(t * 100) in ours_at]
        theirs, own = (np.array(indices) for indices in zip(*shared))
        self.praat = {column: values[theirs] for column, values in praat.items()}
        self.ours = {column: values[own] for column, values in self.all_ours.items()}
        self.f0 = f0_hz(self.ours)
        self.both = (self.f0 > 0) & (self.praat["f0_hz"] > 0)
        self.time_s = self.praat["time_s"]

    def same_voicing(self):
        return (self.f0 > 0) == (self.praat["f0_hz"] > 0)

    def near_pitch(self):
        """Whether the pitch is near Praat's, of each frame that both call voiced."""
        doubtful = (self.name == CONSTRUCTED) & (self.time_s > ALTERNATING_S[0]) & (self.time_s < ALTERNATING_S[1])
        use = self.both & ~doubtful
        return np.abs(self.f0[use] / self.praat["f0_hz"][use] - 1) <= F0_TOLERANCE

    def formant_difference(self, formant):
        """Median relative difference to Praat's on loud voiced frames."""
        level = level_db(self.name, self.time_s)
        ours, theirs = self.ours[f"{formant}frequency_sma3nz"], self.praat[f"{formant}_hz"]
        use = self.both & (level > level.max() + LOUD_DB) & (ours > 0) & (theirs > 0)
        return np.median(np.abs(ours[use] / theirs[use] - 1))

    def perturbation_ratio(self, column, key):
        """The recording's mean against Praat's, as a factor of at least 1."""
        values = self.all_ours[column]
        ratio = values[values > 0].mean() / json.loads(reference(self.name, "praat.json").read_text())[key]
        return max(ratio, 1 / ratio)

    def hnr_correlation(self):
        theirs = self.praat["hnr_db"]
        use = self.both & (theirs > NO_HNR_DB)
        return np.corrcoef(self.ours["HNRdBACF_sma3nz"][use], theirs[use])[0, 1]


def vowels():
    """Each constructed vowel's truth, with our frames inside it."""
    ours = features("vocal", reference(CONSTRUCTED, "wav"))
    with reference(CONSTRUCTED, "truth.csv").open() as file:
        for row in csv.DictReader(file):
            truth = {name: float(value or "nan") for name, value in row.items() if name != "vowel"}
            inside = (ours["time_s"] > truth["start_s"] + EDGE_S) & (ours["time_s"] < truth["end_s"] - EDGE_S)
            yield truth, {name: values[inside] for name, values in ours.items()}


def f0_off(truth, ours):
    """Median relative error of the pitch against an exponential glide, as a share of what is allowed."""
    place = (ours["time_s"] - truth["start_s"]) / (truth["end_s"] - truth["start_s"])
    glides = truth["f0_start_hz"] != truth["f0_end_hz"]
    true_hz = truth["f0_start_hz"] * (truth["f0_end_hz"] / truth["f0_start_hz"]) ** place
    return np.median(np.abs(f0_hz(ours) / true_hz - 1)) / (0.01 if glides else 0.005)


def formants_off(truth, ours):
    """The worst formant's median error, as a share of what is allowed."""
    # A glide is held to what its lower end shows.
    sparse = truth["F1"] < SPARSE * min(truth["f0_start_hz"], truth["f0_end_hz"])
    allowed = FORMANT_TOLERANCE | ({"F1": F1_UNDER_SPARSE_HARMONICS} if sparse else {})
    medians = {name: np.median(ours[f"{name}frequency_sma3nz"]) for name in allowed}
    return np.max([abs(medians[name] / truth[name] - 1) / allowed[name] for name in allowed])


def perturbation_off(truth, ours):
    """Distance of jitter (in percent) or shimmer (in dB) from the truth, the worse as a share of what is allowed."""
    jitter, shimmer = 100 * ours["jitterLocal_sma3nz"].mean(), ours["shimmerLocaldB_sma3nz"].mean()
    if truth["jitter_local"] > 0:
        return abs(jitter - 2) / 0.2  # 1.8 to 2.2 %
    if truth["shimmer_db"] > 0:
        return abs(shimmer - 0.9) / 0.2  # 0.7 to 1.1 dB
    glides = truth["f0_start_hz"] != truth["f0_end_hz"]  # its periods do differ
    return max(0 if glides else jitter / 0.1, shimmer / 0.1)


def constructed_rows():
    both = list(vowels())
    clean = [(truth, ours) for truth, ours in both if np.isnan(truth["hnr_db"])]
    noisy = [(truth, ours) for truth, ours in both if not np.isnan(truth["hnr_db"])]
    hnr_off = np.max([abs(ours["HNRdBACF_sma3nz"].mean() - truth["hnr_db"]) for truth, ours in noisy])
    return [
        Row("constructed_f0", np.max([f0_off(*pair) for pair in both]), "of allowed", bar="<= 1"),
        Row("constructed_formants", np.max([formants_off(*pair) for pair in clean]), "of allowed", bar="<= 1"),
        Row("constructed_jitter_shimmer", np.max([perturbation_off(*pair) for pair in clean]), "of allowed", bar="<= 1"),
        Row("constructed_hnr_db", hnr_off, "dB", bar="<= 2"),
    ]


def praat_rows():
    pairs = [Pair(name) for name in ALL]
    real = [pair for pair in pairs if pair.name in REAL]
    voicing = [pair.same_voicing() for pair in pairs]
    pitch = [pair.near_pitch() for pair in pairs]

    def worst(measured):
        return float(np.max([measured(pair) for pair in real]))

    return [
        Row("vuv_agreement_all", np.concatenate(voicing).mean(), "share", peer=OTHER_TRACKER_ALL, bar=">= 0.94"),
        Row("vuv_agreement_worst", np.min([v.mean() for v in voicing]), "share", peer=OTHER_TRACKER_WORST, bar=">= 0.9"),
        Row("f0_within_3_percent", np.concatenate(pitch).mean(), "share", bar=">= 0.97"),
        Row("f0_within_3_percent_worst", np.min([p.mean() for p in pitch]), "share", bar=">= 0.94"),
        Row("formant_f1", worst(lambda pair: pair.formant_difference("F1")), "relative", bar="<= 0.06"),
        Row("formant_f2", worst(lambda pair: pair.formant_difference("F2")), "relative", bar="<= 0.06"),
        Row("formant_f3", worst(lambda pair: pair.formant_difference("F3")), "relative", bar="<= 0.05"),
        Row(
            "jitter_ratio",
            worst(lambda pair: pair.perturbation_ratio("jitterLocal_sma3nz", "jitter_local")),
            "factor",
            bar="<= 1.35",
        ),
        Row(
            "shimmer_ratio",
            worst(lambda pair: pair.perturbation_ratio("shimmerLocaldB_sma3nz", "shimmer_local_db")),
            "factor",
            bar="<= 1.35",
        ),
        Row("hnr_correlation", np.min([pair.hnr_correlation() for pair in real]), "r", bar=">= 0.9"),
    ]


def heard_in_clip(recording, places):
    """Beside Praat on a recording's first 30 s, at the nearest of its frames: whether each frame is voiced for both or for
    neither, whether each common pitch is near, and the correlation of the harmonics-to-noise ratios."""
    wav = places.file("spoken.wav")
    clip.ffmpeg("-i", recording, "-t", 30, "-ac", 1, "-ar", RATE, wav)
    ours = features("vocal", wav)
    praat = columns(measure.run([sys.executable, Path(__file__).with_name("praat_series.py"), wav]).stdout)
    nearest = np.abs(ours["time_s"][:, None] - praat["time_s"]).argmin(axis=1)
    theirs, their_f0, f0 = praat["hnr_db"][nearest], praat["f0_hz"][nearest], f0_hz(ours)
    # Ours at the times of Praat's: on the way to the neighbouring frame, where that is voiced too.
    way = np.clip((praat["time_s"][nearest] - ours["time_s"]) * RATE / HOP, -1, 1)
    beside = f0[np.clip(np.arange(len(f0)) + np.sign(way).astype(int), 0, len(f0) - 1)]
    f0 = np.where((f0 > 0) & (beside > 0), f0 + np.abs(way) * (beside - f0), f0)
    both = (f0 > 0) & (their_f0 > 0)
    near = np.abs(f0[both] / their_f0[both] - 1) <= F0_TOLERANCE
    use = both & (theirs > NO_HNR_DB)
    return (f0 > 0) == (their_f0 > 0), near, np.corrcoef(ours["HNRdBACF_sma3nz"][use], theirs[use])[0, 1]


def clips_rows(places):
    recordings = [path for pattern in SPOKEN for path in sorted((SHARED / "media").glob(pattern))]
    voicing, near, correlation = zip(*(heard_in_clip(recording, places) for recording in recordings))
    of = f"of {len(recordings)} recordings"
    return [
        Row("vuv_agreement_clips", np.concatenate(voicing).mean(), f"share, all {of}", bar=">= 0.94"),
        Row("vuv_agreement_clips_worst", np.min([v.mean() for v in voicing]), f"share, worst {of}", bar=">= 0.9"),
        Row("f0_within_3_percent_clips", np.concatenate(near).mean(), f"share, all {of}", bar=">= 0.97"),
        Row("f0_within_3_percent_clips_worst", np.min([n.mean() for n in near]), f"share, worst {of}", bar=">= 0.94"),
        Row("hnr_correlation_clips", np.min(correlation), f"r, worst {of}", bar=">= 0.9"),
    ]
