#!/usr/bin/env python3
"""PyTorch as a peer: `training_torch.py steps DIR` times training steps of HireNet's reference on kept batches,
`training_torch.py inference` runs the graph that PyTorch exports in ONNX Runtime's Python. Prints one JSON object.
"""

import json
import os
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

UNITS = 64
CORES = len(os.sched_getaffinity(0))


def tensors(path):
    """A safetensors file of f32."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
    return {
        name: torch.from_numpy(np.frombuffer(data[slice(*about["data_offsets"])], np.float32).reshape(about["shape"]).copy())
        for name, about in header.items()
        if name != "__metadata__"
    }


def padded(rows, lengths):
    """Ragged rows as [S, T, D] and lengths."""
    lengths = lengths.long()
    out = rows.new_zeros(len(lengths), max(1, int(lengths.max())), rows.shape[1])
    at = 0
    for sequence, length in enumerate(lengths.tolist()):
        out[sequence, :length] = rows[at : at + length]
        at += length
    return out, lengths


def run_gru(gru, x, lengths):
    """States and the last forward state over packed sequences."""
    out, last = x.new_zeros(x.shape[0], x.shape[1], gru.hidden_size * (2 if gru.bidirectional else 1)), x.new_zeros(x.shape[0], gru.hidden_size)
    keep = lengths > 0
    if keep.any():
        packed, hidden = gru(pack_padded_sequence(x[keep], lengths[keep], batch_first=True, enforce_sorted=False))
        out[keep] = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0]
        last[keep] = hidden[0]
    return out, last


class Pool(nn.Module):
    def __init__(self, states, context, units):
        super().__init__()
        self.state, self.context, self.query = nn.Linear(states, units), nn.Linear(context, units, bias=False), nn.Linear(units, 1, bias=False)

    def forward(self, h, c, mask):
        e = self.query(torch.tanh(self.state(h) + self.context(c).unsqueeze(1))).squeeze(-1)
        a = torch.softmax(e.masked_fill(~mask, -1e9), 1) * mask
        return (a.unsqueeze(-1) * h).sum(1)


class HireNet(nn.Module):
    def __init__(self, columns, words, h=UNITS):
        super().__init__()
        self.low = nn.GRU(columns, h, batch_first=True, bidirectional=True)
        self.question, self.title = nn.GRU(words, h, batch_first=True), nn.GRU(words, h, batch_first=True)
        self.local, self.globe = Pool(2 * h, h, h), Pool(2 * h, h, h)
        self.high = nn.GRU(3 * h, h, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * h, 1)

    def forward(self, batch):
        h, _ = run_gru(self.low, *batch["rows"])
        _, q = run_gru(self.question, *batch["question"])
        _, j = run_gru(self.title, *batch["title"])
        x, lengths = batch["rows"]
        a = self.local(h, q, torch.arange(x.shape[1])[None] < lengths[:, None])
        s, n = torch.cat([a, q], -1)[batch["places"]], batch["answers"]
        g, _ = run_gru(self.high, s, n)
        return self.out(self.globe(g, j, torch.arange(s.shape[1])[None] < n[:, None])).squeeze(-1)


def batch_of(path):
    kept = tensors(path)
    answers, order = kept["answers"].long(), kept["order"].long()
    places, at = torch.zeros(len(answers), int(answers.max()), dtype=torch.long), 0
    for interview, count in enumerate(answers.tolist()):
        places[interview, :count] = order[at : at + count]
        at += count
    parts = {name: padded(kept[name], kept["lengths" if name == "rows" else f"{name}_lengths"]) for name in ("rows", "question", "title")}
    return parts | {"answers": answers, "places": places, "labels": kept["labels"]}


def steps(folder):
    torch.set_num_threads(CORES)
    batches = [batch_of(path) for path in sorted(Path(folder).glob("*.safetensors"))]
    model = HireNet(batches[0]["rows"][0].shape[2], batches[0]["question"][0].shape[2])
    adam, loss_of, seconds = torch.optim.Adam(model.parameters(), 1e-3), nn.BCEWithLogitsLoss(), []
    for number, batch in enumerate(batches[:2] + batches):
        start = time.perf_counter()
        adam.zero_grad()
        loss_of(model(batch), batch["labels"]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        if number >= 2:  # the first two warm up
            seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "threads": CORES}


def inference(runs=100):
    import onnxruntime
    import pytorch_hirenet as example

    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/bundle.onnx"
        example.export(example.Bundle(UNITS), path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = example.interview(6, (95, 207, 207), 1)
    for place, rows in ((1, 95), (3, 207), (5, 207)):
        inputs[place] = torch.full((6,), rows)
    feed = {name: value.numpy() for name, value in zip(example.INPUTS, inputs)}
    milliseconds = []
    for run in range(runs + 5):
        start = time.perf_counter()
        session.run(None, feed)
        if run >= 5:
            milliseconds.append((time.perf_counter() - start) * 1e3)
    return {"milliseconds": statistics.median(milliseconds)}


if __name__ == "__main__":
    print(json.dumps(steps(sys.argv[2]) if sys.argv[1] == "steps" else inference()))
