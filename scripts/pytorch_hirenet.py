#!/usr/bin/env python3
"""HireNet in PyTorch, exported by the graph contract of docs/models.md: an example for whoever trains in Python.

`scripts/pytorch_hirenet.py OUT.onnx EXPECTED.json [--units N]` writes a graph with random weights, and what PyTorch itself says of a
random interview (tests/ of pipeline/hirenet run the graph and compare). Needs scripts/requirements-bench-training.txt.
"""

import argparse
import json

import onnx
import torch
from torch import nn

MODALITIES = {"verbal": 256, "vocal": 51, "visual": 112}
WORDS = 256


def used(lengths, rows):
    """[B, N]: true for rows in use."""
    return torch.arange(rows, device=lengths.device)[None] < lengths[:, None]


class Recurrence(nn.Module):
    """A GRU over padded sequences of any length, 0 included: states [B, N, H or 2H] and the last forward state [B, H].

    Packed sequences don't survive the export here, and need not: forwards, padding at the right reaches no row in use;
    backwards, each sequence is turned round within its own length.
    """

    def __init__(self, columns, hidden, both_ways):
        super().__init__()
        self.there = nn.GRU(columns, hidden, batch_first=True)
        self.back = nn.GRU(columns, hidden, batch_first=True) if both_ways else None

    def forward(self, x, lengths):
        mask = used(lengths, x.shape[1])
        x = torch.where(mask.unsqueeze(2), x, torch.zeros(()))
        start = x.new_zeros(1, x.shape[0], self.there.hidden_size)
        states, hidden = self.there(x, start)[0], self.there.hidden_size
        if self.back is not None:
            row = torch.arange(x.shape[1], device=x.device)[None]
            turned = torch.where(mask, lengths[:, None] - 1 - row, row).unsqueeze(2)
            back = self.back(x.gather(1, turned.expand(-1, -1, x.shape[2])), start)[0]
            states = torch.cat([states, back.gather(1, turned.expand(-1, -1, hidden))], 2)
        states = states * mask.unsqueeze(2)
        place = (lengths.clamp(min=1) - 1).reshape(-1, 1, 1).expand(-1, 1, hidden)
        return states, states[:, :, :hidden].gather(1, place).squeeze(1)


class Attention(nn.Module):
    """Additive attention under a context: pooled states and weights."""

    def __init__(self, states, context, units):
        super().__init__()
        self.state, self.context = nn.Linear(states, units), nn.Linear(context, units, bias=False)
        self.query = nn.Linear(units, 1, bias=False)

    def forward(self, states, context, mask):
        scores = self.query(torch.tanh(self.state(states) + self.context(context).unsqueeze(1))).squeeze(2)
        weights = torch.softmax(scores.masked_fill(~mask, -1e9), 1) * mask
        return (weights.unsqueeze(2) * states).sum(1), weights


class HighLevel(nn.Module):
    """Answers to a logit; the answers that are not `present` are passed over."""

    def __init__(self, summary, units):
        super().__init__()
        self.high, self.title = Recurrence(summary, units, True), Recurrence(WORDS, units, False)
        self.attention, self.score = Attention(2 * units, units, units), nn.Linear(2 * units, 1)

    def forward(self, summaries, present, title, title_len):
        answers = torch.arange(summaries.shape[0], device=summaries.device)
        order = torch.argsort(torch.where(present, answers, answers + summaries.shape[0]))
        count = present.sum().reshape(1)
        states, _ = self.high(summaries[order].unsqueeze(0), count)
        _, about = self.title(title, title_len)
        pooled, weights = self.attention(states, about, used(count, summaries.shape[0]))
        logit = self.score(pooled).reshape(1) * (count > 0)
        return logit, torch.zeros_like(weights[0]).scatter(0, order, weights[0])


class Branch(nn.Module):
    """The HireNet of one modality."""

    def __init__(self, columns, units):
        super().__init__()
        self.low, self.question = Recurrence(columns, units, True), Recurrence(WORDS, units, False)
        self.attention, self.high = Attention(2 * units, units, units), HighLevel(3 * units, units)

    def forward(self, rows, lengths, question, question_len, title, title_len):
        states, _ = self.low(rows, lengths)
        _, asked = self.question(question, question_len)
        answers, alpha = self.attention(states, asked, used(lengths, rows.shape[1]))
        logit, beta = self.high(torch.cat([answers, asked], 1), lengths > 0, title, title_len)
        return answers, logit, alpha, beta


class Bundle(nn.Module):
    """Three branches and the gated fusion, with the contract's inputs and outputs in order."""

    def __init__(self, units):
        super().__init__()
        self.branches = nn.ModuleList(Branch(columns, units) for columns in MODALITIES.values())
        self.question = Recurrence(WORDS, units, False)
        self.own = nn.ModuleList(nn.Linear(2 * units, units) for _ in MODALITIES)
        self.asked, self.gate = nn.Linear(units, units, bias=False), nn.Linear(units, 1, bias=False)
        self.project = nn.ModuleList(nn.Linear(2 * units, units, bias=False) for _ in MODALITIES)
        self.high = HighLevel(2 * units, units)

    def forward(self, verbal, verbal_len, vocal, vocal_len, visual, visual_len, question, question_len, title, title_len):
        tracks = [(verbal, verbal_len), (vocal, vocal_len), (visual, visual_len)]
        said = [b(x, n, question, question_len, title, title_len) for b, (x, n) in zip(self.branches, tracks)]
        _, asked = self.question(question, question_len)
        scores = [self.gate(torch.tanh(own(a) + self.asked(asked))) for own, (a, *_) in zip(self.own, said)]
        present = torch.stack([n > 0 for _, n in tracks], 1)
        gamma = torch.softmax(torch.cat(scores, 1).masked_fill(~present, -1e9), 1) * present
        fused = sum(gamma[:, m : m + 1] * p(a) for m, (p, (a, *_)) in enumerate(zip(self.project, said)))
        logit, beta = self.high(torch.cat([fused, asked], 1), present.any(1), title, title_len)
        outputs = [logit, (beta.unsqueeze(0) @ gamma).reshape(3)]
        for _, own, alpha, answers in said:
            outputs += [own, alpha, answers]
        return tuple(outputs)


INPUTS = [f"{m}{end}" for m in MODALITIES for end in ("", "_len")] + ["question", "question_len", "title", "title_len"]
OUTPUTS = ["logit", "modality_attention"] + [
    name for m in MODALITIES for name in (f"logit_{m}", f"{m}_attention", f"{m}_answer_attention")
]


def interview(answers, rows, seed):
    """Random inputs; every third answer lacks the face."""
    generator = torch.Generator().manual_seed(seed)
    inputs = []
    for place, (modality, columns) in enumerate(MODALITIES.items()):
        longest = rows[place]
        lengths = torch.tensor([max(1, longest - 3 * a) for a in range(answers)])
        if modality == "visual":
            lengths[2::3] = 0
        inputs += [torch.randn(answers, longest, columns, generator=generator), lengths]
    inputs += [torch.randn(answers, 9, WORDS, generator=generator) / 16, torch.tensor([9 - a % 4 for a in range(answers)])]
    inputs += [torch.randn(1, 4, WORDS, generator=generator) / 16, torch.tensor([3])]
    return inputs


def card(name):
    """The metadata that the contract asks for."""
    identity = {"a": 1.0, "b": 0.0}
    return {
        "contract": 1,
        "name": name,
        "version": "1",
        "kind": "untrained",
        "schemas": {"verbal": "verbal/hash256/1", "vocal": "vocal/lld51/1", "visual": "visual/face/1", "context": "context/hash256/1"},
        "threshold": 0.5,
        "calibration": {name: identity for name in ("fused", *MODALITIES)},
        "trained_on": "nothing: random weights",
        "intended_use": "tests",
    }


def export(model, path, name="pytorch"):
    """Writes the graph with dynamic A, T and L, and the card."""
    axes = {}
    for name_of in [*MODALITIES, "question"]:
        axes[name_of], axes[f"{name_of}_len"] = {0: "answers", 1: f"{name_of}_rows"}, {0: "answers"}
    axes["title"] = {1: "title_rows"}
    for modality in MODALITIES:
        axes[f"{modality}_attention"] = {0: "answers", 1: f"{modality}_rows"}
        axes[f"{modality}_answer_attention"] = {0: "answers"}
    model.eval()
    inputs = tuple(interview(4, (8, 12, 12), 1))
    torch.onnx.export(
        model, inputs, path, input_names=INPUTS, output_names=OUTPUTS, dynamic_axes=axes, opset_version=17, do_constant_folding=True
    )
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, {"hirenet": json.dumps(card(name))})
    onnx.save(graph, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("expected")
    parser.add_argument("--units", type=int, default=4)
    arguments = parser.parse_args()
    torch.manual_seed(1907)
    model = Bundle(arguments.units)
    export(model, arguments.out)
    inputs = interview(5, (6, 11, 9), 2)
    with torch.no_grad():
        outputs = model(*inputs)
    rounded = lambda t: [round(float(v), 7) for v in t.flatten()]
    content = {
        "inputs": {n: {"shape": list(t.shape), "values": rounded(t)} for n, t in zip(INPUTS, inputs)},
        "outputs": {n: rounded(t) for n, t in zip(OUTPUTS, outputs)},
    }
    with open(arguments.expected, "w") as file:
        json.dump(content, file)
        file.write("\n")


if __name__ == "__main__":
    main()
