#!/usr/bin/env python3
"""Writes all-MiniLM-L6-v2 as an ONNX graph of opset 17 and quantises it to int8, without PyTorch.

    python3 -m venv /tmp/minilm && /tmp/minilm/bin/pip install -r scripts/requirements-minilm.txt
    /tmp/minilm/bin/python scripts/export_minilm.py FOLDER --out all-MiniLM-L6-v2.int8.onnx

FOLDER has model.safetensors and tokenizer.json of https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2. The
program then prints the cosines between the model card's three sentences, before and after the quantisation.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file
from tokenizers import Tokenizer

LAYERS, HEADS, WIDTH = 6, 12, 384
NORM_EPSILON = 1e-12  # config.json, layer_norm_eps
OPSET, IR_VERSION = 17, 8
HIDDEN, SENTENCE = "last_hidden_state", "sentence_embedding"
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
MAX_TOKENS = 256
# https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
SENTENCES = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
CARD_COSINES = [0.6660, 0.1046, 0.1411]


class Bert:
    """The graph of a BERT encoder (Devlin et al., 2019) while it grows."""

    def __init__(self, weights):
        self.weights, self.nodes, self.constants = weights, [], {}

    def constant(self, array, name):
        self.constants[name] = np.ascontiguousarray(array)
        return name

    def weight(self, name, transposed=False):
        array = self.weights[name].astype(np.float32)
        return self.constant(array.T if transposed else array, name)

    def node(self, operator, inputs, output=None, **attributes):
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def integers(self, *values):
        return self.constant(np.array(values, np.int64), "i_" + "_".join(map(str, values)))

    def number(self, value):
        return self.constant(np.float32(value), f"f_{value}")

    def linear(self, x, name):
        product = self.node("MatMul", [x, self.weight(name + ".weight", transposed=True)])
        return self.node("Add", [product, self.weight(name + ".bias")])

    def norm(self, x, name, output=None):
        inputs = [x, self.weight(name + ".weight"), self.weight(name + ".bias")]
        return self.node("LayerNormalization", inputs, output, axis=-1, epsilon=NORM_EPSILON)

    def embeddings(self):
        words = self.node("Gather", [self.weight("embeddings.word_embeddings.weight"), "input_ids"])
        types = self.node("Gather", [self.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"])
        length = self.node("Slice", [self.node("Shape", ["input_ids"]), self.integers(1), self.integers(2)])
        positions = self.weight("embeddings.position_embeddings.weight")
        positions = self.node("Slice", [positions, self.integers(0), length, self.integers(0)])
        summed = self.node("Add", [self.node("Add", [words, types]), positions])
        return self.norm(summed, "embeddings.LayerNorm")

    def gelu(self, x):
        """x Phi(x), with the error function."""
        inner = self.node("Erf", [self.node("Div", [x, self.number(2**0.5)])])
        return self.node("Mul", [self.node("Mul", [x, self.node("Add", [inner, self.number(1.0)])]), self.number(0.5)])

    def attention(self, x, mask, name):
        """Heads of softmax(Q K' / sqrt(width) + mask) V."""
        shape = self.integers(0, 0, HEADS, WIDTH // HEADS)
        split = lambda part: self.node("Reshape", [self.linear(x, f"{name}.self.{part}"), shape])
        query = self.node("Transpose", [split("query")], perm=[0, 2, 1, 3])
        key = self.node("Transpose", [split("key")], perm=[0, 2, 3, 1])
        value = self.node("Transpose", [split("value")], perm=[0, 2, 1, 3])
        scores = self.node("Div", [self.node("MatMul", [query, key]), self.number((WIDTH // HEADS) ** 0.5)])
        shares = self.node("Softmax", [self.node("Add", [scores, mask])], axis=-1)
        mixed = self.node("Transpose", [self.node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        return self.linear(self.node("Reshape", [mixed, self.integers(0, 0, WIDTH)]), f"{name}.output.dense")

    def layer(self, x, mask, number):
        name, last = f"encoder.layer.{number}", number == LAYERS - 1
        attended = self.node("Add", [self.attention(x, mask, f"{name}.attention"), x])
        attended = self.norm(attended, f"{name}.attention.output.LayerNorm")
        inner = self.gelu(self.linear(attended, f"{name}.intermediate.dense"))
        summed = self.node("Add", [self.linear(inner, f"{name}.output.dense"), attended])
        return self.norm(summed, f"{name}.output.LayerNorm", HIDDEN if last else None)

    def pool(self, mask):
        """Mean over the tokens that are not padding, divided by its length."""
        weights = self.node("Unsqueeze", [mask, self.integers(2)])
        total = self.node("ReduceSum", [self.node("Mul", [HIDDEN, weights]), self.integers(1)], keepdims=0)
        count = self.node("ReduceSum", [weights, self.integers(1)], keepdims=0)
        mean = self.node("Div", [total, self.node("Max", [count, self.number(1e-9)])])
        length = self.node("ReduceL2", [mean], axes=[1], keepdims=1)
        self.node("Div", [mean, self.node("Max", [length, self.number(1e-12)])], SENTENCE)

    def model(self):
        mask = self.node("Cast", ["attention_mask"], to=TensorProto.FLOAT)
        absent = self.node("Sub", [self.number(1.0), self.node("Unsqueeze", [mask, self.integers(1, 2)])])
        penalty = self.node("Mul", [absent, self.number(-10000.0)])
        x = self.embeddings()
        for number in range(LAYERS):
            x = self.layer(x, penalty, number)
        self.pool(mask)
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "seq"]) for name in INPUTS]
        outputs = [
            helper.make_tensor_value_info(HIDDEN, TensorProto.FLOAT, ["batch", "seq", WIDTH]),
            helper.make_tensor_value_info(SENTENCE, TensorProto.FLOAT, ["batch", WIDTH]),
        ]
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(self.nodes, "bert", inputs, outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="hirenet")
        model.doc_string = "sentence-transformers/all-MiniLM-L6-v2, Apache-2.0"
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model


def cosines(model_file, tokenizer):
    """Cosines of the pairs (0, 1), (0, 2) and (1, 2) of the card's sentences, each embedded alone."""
    session = onnxruntime.InferenceSession(str(model_file), providers=["CPUExecutionProvider"])
    vectors = []
    for sentence in SENTENCES:
        encoded = tokenizer.encode(sentence)
        values = [encoded.ids, encoded.attention_mask, encoded.type_ids]
        feed = {name: np.array([value], np.int64) for name, value in zip(INPUTS, values)}
        vectors.append(session.run([SENTENCE], feed)[0][0])
    return [float(vectors[a] @ vectors[b]) for a, b in ((0, 1), (0, 2), (1, 2))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--out", required=True, type=Path, help="the int8 graph to write")
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.folder / "tokenizer.json"))
    # The file pads and truncates to 128.
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch) / "float32.onnx"
        onnx.save(Bert(load_file(arguments.folder / "model.safetensors")).model(), exact)
        quantize_dynamic(exact, arguments.out, weight_type=QuantType.QInt8, per_channel=True)
        measured = {
            "card": CARD_COSINES,
            "float32": cosines(exact, tokenizer),
            "int8": cosines(arguments.out, tokenizer),
        }
    for name, values in measured.items():
        print(f"{name:8}", " ".join(f"{value:.4f}" for value in values))


if __name__ == "__main__":
    main()
