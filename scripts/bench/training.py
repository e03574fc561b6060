#!/usr/bin/env python3
"""Measures the trainer on made-up corpora with known ceilings, and beside PyTorch: `make bench-training`.

Prints a table, leaves bench-out/training.json, and exits non-zero where a row with a bar does not pass. HIRENET_BENCH_SEEDS
lowers the number of seeds while trying; the bars stand for 5.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median, stdev

import report
from report import Row

TRAIN = os.environ["HIRENET_TRAIN"]
SEEDS = int(os.environ.get("HIRENET_BENCH_SEEDS", "5"))
MODALITIES = ("verbal", "vocal", "visual")
ABLATIONS = {"satt": "hn_satt", "avg": "hn_avg", "gru": "bigru"}

# The comparisons' corpus: short answers, so that everything ends within the hour.
SHAPE = ["--positions", "120", "--questions", "2", "--seconds", "6", "--topics", "2", "--missing", "0", "--amplitude", "3"]
TRAINING = ["--hidden", "32", "--rate", "0.003", "--dropout", "0.3", "--epochs", "6", "--patience", "3"]
FRESH_INTERVIEWS = 5600
PAPER = ["--interviews", "8000", "--modalities", "vocal", "--missing", "0"]
REPEATS = 3


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def program(*arguments):
    """Runs the trainer and gives what it printed."""
    done = subprocess.run([TRAIN, "-q", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"hirenet-train {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def torch(*arguments):
    done = subprocess.run([sys.executable, "scripts/bench/training_torch.py", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-600:])
    return json.loads(done.stdout.splitlines()[-1])


def auc(scores, labels):
    """Mann-Whitney, ties counted half."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    positives = sum(labels)
    rank_sum, at = 0.0, 0
    while at < len(order):
        end = at
        while end < len(order) and scores[order[end]] == scores[order[at]]:
            end += 1
        rank_sum += (at + 1 + end) / 2 * sum(labels[i] for i in order[at:end])
        at = end
    return (rank_sum - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


class Compared:
    """What `hirenet-train compare` said of a corpus."""

    def __init__(self, corpus, folder, models, modalities=MODALITIES):
        self.corpus, self.folder = corpus, folder
        program("compare", corpus, "--out", folder, "--models", ",".join(models), "--seeds", SEEDS, "--modalities", ",".join(modalities), *TRAINING)
        self.truth = [json.loads(line) for line in open(corpus / "truth.jsonl")]

    def test(self, model, modality, seed):
        return json.loads((self.folder / f"{model}.{modality}.{seed}.json").read_text())["test"]

    def auc(self, model, modality, seed):
        said = self.test(model, modality, seed)
        return auc([s["logit"] for s in said], [s["label"] for s in said])

    def aucs(self, model, modality="fused"):
        return [self.auc(model, modality, seed) for seed in range(1, SEEDS + 1)]

    def ceiling(self, modality):
        """AUC of the evidence itself on the test interviews."""
        said = self.test("hirenet", modality, 1)
        return auc([self.truth[s["index"]]["evidence"][modality] for s in said], [s["label"] for s in said])


def surplus(ours, theirs):
    """Mean of the paired differences over seeds, minus twice their standard deviation."""
    differences = [a - b for a, b in zip(ours, theirs)]
    return mean(differences) - 2 * (stdev(differences) if len(differences) > 1 else 0.0)


def context_rows(work):
    """HireNet against its ablations where meaning depends on context."""
    corpus = work / "context"
    say(f"corpus with context: {program('synth', corpus, '--interviews', 8000, '--gain', 4, *SHAPE).strip()}")
    found = Compared(corpus, work / "context-said", ["hirenet", *ABLATIONS.values()])
    rows = []
    for modality in MODALITIES:
        ours, ceiling = found.aucs("hirenet", modality), found.ceiling(modality)
        for short, model in ABLATIONS.items():
            theirs = found.aucs(model, modality)
            rows.append(Row(f"auc_{modality}_vs_{short}", surplus(ours, theirs), "AUC, mean difference - 2 sd", peer=mean(theirs), bar=">= 0"))
        rows.append(Row(f"auc_{modality}_hirenet", mean(ours), "AUC", peer=ceiling))
        rows.append(Row(f"auc_gap_to_ceiling_{modality}", ceiling - mean(ours), "AUC", bar="<= 0.03"))
    return rows


def no_context_rows(work):
    corpus = work / "plain"
    say(f"corpus without context: {program('synth', corpus, '--interviews', 5000, '--gain', 4, '--context', 'none', *SHAPE).strip()}")
    found = Compared(corpus, work / "plain-said", ["hirenet", "hn_satt"])
    theirs = {m: mean(found.aucs("hn_satt", m)) for m in MODALITIES}
    more = {m: mean(found.aucs("hirenet", m)) - theirs[m] for m in MODALITIES}
    worst = min(more, key=more.get)
    rows = [Row("auc_no_context_vs_satt", more[worst], "AUC, mean difference, worst modality", peer=theirs[worst], bar=">= -0.01")]
    return rows + [Row(f"auc_no_context_{m}_vs_satt", more[m], "AUC, mean difference", peer=theirs[m]) for m in MODALITIES]


def fusion_rows(work):
    corpus = work / "spread"
    say(f"corpus with spread evidence: {program('synth', corpus, '--interviews', 8000, '--gain', 5, '--evidence', 'spread', *SHAPE).strip()}")
    found = Compared(corpus, work / "spread-said", ["missing"])
    gated = found.aucs("gated")
    single = {m: found.aucs("hirenet", m) for m in MODALITIES}
    best = [max(of) for of in zip(*single.values())]
    losses = []
    for modality in MODALITIES:
        rivals = [found.aucs(f"{fusion}_trained_without_{modality}") for fusion in ("gated", "early", "late")]
        losses.append(mean(found.aucs(f"gated_without_{modality}")) - max(mean(of) for of in rivals))
    rows = [
        Row("fusion_vs_best_single", surplus(gated, best), "AUC, mean difference - 2 sd", peer=mean(best), bar=">= 0"),
        Row("fusion_missing_modality", min(losses), "AUC, worst modality", None, None, ">= -0.01"),
    ]
    return rows + [Row(f"fusion_{name}_auc", mean(found.aucs(name)), "AUC") for name in ("gated", "early", "late")]


def explained_rows(seeds):
    """What `explain` said of each seed's bundle: the mean over seeds, and in the row with the bar the worst modality."""

    def over_seeds(of):
        told = [value for value in map(of, seeds) if value is not None]
        return mean(told) if told else None

    rows, hits = [], {}
    for modality in MODALITIES:
        moments = {key: over_seeds(lambda e: e[modality]["moments"][key]) for key in ("hit", "random")}
        hits[modality] = moments
        rows.append(Row(f"moments_hit_{modality}", moments["hit"], "share", peer=moments["random"]))
        # The control is trained once: it takes as long as the network itself.
        control = seeds[0][modality]["control"]["influence"]
        correlation = over_seeds(lambda e: e[modality]["influence"]["rank_correlation"])
        of_control = control["rank_correlation"] if control["slices"] else None
        rows.append(Row(f"attention_rank_correlation_{modality}", correlation, "Spearman; peer: shuffled labels", peer=of_control))
        slices = over_seeds(lambda e: e[modality]["slices"] and e[modality]["slices"]["attention_auc"])
        for kind in ("random", "position_matched"):
            beside = over_seeds(lambda e: e[modality]["slices"] and e[modality]["slices"][kind]["auc"])
            rows.append(Row(f"slices_test_{modality}_vs_{kind}", slices, "AUC", peer=beside))
    worst = min(hits.values(), key=lambda moments: moments["hit"])
    # Beside it stands what random slices of the same lengths hit.
    return [Row("moments_hit", worst["hit"], "share, worst modality", peer=worst["random"], bar=">= 0.8"), *rows]


def bundle_rows(work):
    """A whole bundle a seed: planted moments, influence, and calibration on interviews that are new."""
    corpus, fresh = work / "context", work / "fresh"
    program("synth", fresh, "--interviews", FRESH_INTERVIEWS, "--seed", 2, "--gain", 4, *SHAPE)
    explained, measured = [], []
    for seed in range(1, SEEDS + 1):
        say(f"a bundle, seed {seed}")
        bundle, run = work / f"bundle-{seed}.onnx", work / f"bundle-{seed}.run"
        program("fit", corpus, "--out", bundle, "--run", run, "--seed", seed, *TRAINING)
        program("explain", corpus, run, "--interviews", 800, *([] if seed == 1 else ["--no-control"]))
        explained.append(json.loads((run / "explanation.json").read_text()))
        # After the bundle's own calibration; nothing is fitted to the new interviews.
        program("evaluate", fresh, bundle, "--on", "all", "--draws", 20, "--out", work)
        measured.append({r["modality"]: r["seeds"][0] for r in json.loads((work / "evaluation.json").read_text())})
    count = min(said["fused"]["test"]["count"] for said in measured)
    errors = {m: [said[m]["test"]["calibration_error"] for said in measured] for m in ("fused", *MODALITIES)}
    rows = [
        Row("calibration_error", mean(errors["fused"]) if count >= 5000 else None, f"{count} new interviews", bar="<= 0.03"),
        Row("calibration_error_worst_seed", max(errors["fused"]), ""),
    ]
    rows += [Row(f"calibration_error_{m}", mean(errors[m]), "") for m in MODALITIES]
    before = {m: mean(said[m]["calibration_error_before"] for said in measured) for m in ("fused", *MODALITIES)}
    return explained_rows(explained) + rows + [Row(f"calibration_error_before_{m}", before[m], "before calibration") for m in before]


def speed_rows(work):
    """One epoch in the paper's shape, and 20 of its batches beside PyTorch."""
    corpus, batches = work / "paper", work / "batches"
    start = time.time()
    say(f"corpus in the paper's shape: {program('synth', corpus, *PAPER).strip()}, {time.time() - start:.0f} s")
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(sum(json.loads(program("bench", "steps", corpus, "--batches", batches))["seconds"]))
        theirs.append(sum(torch("steps", batches)["seconds"]))
    epoch = json.loads(program("bench", "epoch", corpus))
    return [
        Row("epoch_vs_torch", median(ours) / median(theirs), "ratio over 20 batches", None, None, "<= 2.0"),
        Row("steps_seconds", median(ours), "s for 20 batches", peer=median(theirs)),
        Row("epoch_seconds", epoch["seconds"], f"s for {epoch['interviews']} interviews"),
        Row("interviews_per_second", epoch["interviews"] / epoch["seconds"], "1/s"),
        Row("training_memory_gb", epoch["peak_gb"], "GiB", None, None, "<= 4"),
    ]


def graph_rows(_work):
    ours, theirs = [], []
    for _ in range(REPEATS):
        ours.append(median(json.loads(program("bench", "inference"))["milliseconds"]))
        theirs.append(torch("inference")["milliseconds"])
    parity = json.loads(program("bench", "parity", "--interviews", 500))["max_abs_error"]
    return [
        Row("inference_vs_python", median(ours) / median(theirs), "ratio", None, None, "<= 1.5"),
        Row("inference_ms", median(ours), "ms, 6 answers, one core", peer=median(theirs)),
        Row("export_parity", parity, "max abs error", None, None, "<= 0.0001"),
    ]


# Each part with the rows that must be there even where it fails.
PARTS = {
    "graph": (graph_rows, ["inference_vs_python", "export_parity"]),
    "speed": (speed_rows, ["epoch_vs_torch", "training_memory_gb"]),
    "context": (
        context_rows,
        [f"auc_{m}_vs_{a}" for m in MODALITIES for a in ABLATIONS] + [f"auc_gap_to_ceiling_{m}" for m in MODALITIES],
    ),
    "bundle": (bundle_rows, ["moments_hit", "calibration_error"]),
    "plain": (no_context_rows, ["auc_no_context_vs_satt"]),
    "fusion": (fusion_rows, ["fusion_vs_best_single", "fusion_missing_modality"]),
}


def main():
    start, rows = time.time(), []
    work = Path(tempfile.mkdtemp(prefix="hirenet-bench-", dir=os.environ.get("HIRENET_BENCH_DIR")))
    chosen = sys.argv[1:] or list(PARTS)
    try:
        for name, (measure, required) in PARTS.items():
            if name not in chosen:
                continue
            say(name)
            try:
                rows += measure(work)
            except (RuntimeError, OSError, KeyError, TypeError, ValueError) as error:
                say(f"{name} could not be measured: {error}")
                rows += [Row(missing, None, "", bar="measured") for missing in required]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    settings = {"seeds": SEEDS, "corpus": SHAPE, "training": TRAINING, "paper_shape": PAPER, "parts": chosen, "minutes": round((time.time() - start) / 60, 1)}
    report.write(Path("bench-out/training.json"), settings, rows)
    passed = report.show(rows)
    say(f"{settings['minutes']} minutes, {SEEDS} seeds")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
