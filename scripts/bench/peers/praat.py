"""Measures a WAV file with Praat every 10 ms: pitch, formants, jitter, shimmer and harmonics-to-noise ratio.

usage: praat.py WAV
"""

import json
import sys
import time

import parselmouth
from parselmouth.praat import call

STEP_S = 0.01
PITCH_FLOOR_HZ, PITCH_CEILING_HZ = 60, 600
WINDOW_S = 0.06  # cycles of this stretch around a frame give its jitter and shimmer
SHORTEST_PERIOD_S, LONGEST_PERIOD_S, PERIOD_FACTOR, AMPLITUDE_FACTOR = 0.0001, 0.02, 1.3, 1.6  # Praat's own defaults


def main(wav):
    sound = parselmouth.Sound(wav)
    started = time.perf_counter(), time.process_time()
    pitch = sound.to_pitch_ac(STEP_S, PITCH_FLOOR_HZ, max_number_of_candidates=15, pitch_ceiling=PITCH_CEILING_HZ)
    formants = sound.to_formant_burg(STEP_S, max_number_of_formants=5, maximum_formant=5500)
    harmonicity = sound.to_harmonicity_cc(STEP_S, PITCH_FLOOR_HZ)
    pulses = call([sound, pitch], "To PointProcess (cc)")
    period = (SHORTEST_PERIOD_S, LONGEST_PERIOD_S, PERIOD_FACTOR)
    rows = []
    for time_s, f0 in zip(pitch.xs(), pitch.selected_array["frequency"]):
        row = [f0, harmonicity.get_value(time_s)]
        row += [formants.get_value_at_time(number, time_s) for number in (1, 2, 3)]
        if f0 > 0:
            window = (time_s - WINDOW_S / 2, time_s + WINDOW_S / 2)
            row.append(call(pulses, "Get jitter (local)", *window, *period))
            row.append(call([sound, pulses], "Get shimmer (local_dB)", *window, *period, AMPLITUDE_FACTOR))
        rows.append(row)
    print(
        json.dumps(
            {"rows": len(rows), "wall": time.perf_counter() - started[0], "cpu": time.process_time() - started[1]}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
