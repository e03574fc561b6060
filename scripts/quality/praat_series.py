"""Praat's pitch and harmonicity of a WAV file as CSV, with the parameters of the reference tables.

usage: praat_series.py WAV
"""

import sys

import numpy as np
import parselmouth

STEP_S, PITCH_FLOOR_HZ, PITCH_CEILING_HZ = 0.01, 60, 600


def main(wav):
    sound = parselmouth.Sound(wav)
    pitch = sound.to_pitch_ac(STEP_S, PITCH_FLOOR_HZ, pitch_ceiling=PITCH_CEILING_HZ)
    harmonicity = sound.to_harmonicity_cc(STEP_S, PITCH_FLOOR_HZ)
    times, f0 = pitch.xs(), pitch.selected_array["frequency"]
    print("time_s,f0_hz,hnr_db")
    for time, hnr in zip(harmonicity.xs(), harmonicity.values[0]):
        nearest = f0[np.abs(times - time).argmin()]
        # A pitch that glides is read between its frames; whether there is one, the nearest frame says.
        between = pitch.get_value_at_time(time)
        print(f"{time:.6f},{between if nearest > 0 and between > 0 else nearest:.3f},{hnr:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
