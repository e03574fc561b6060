"""Rewrites MediaPipe's blendshape network (an MLP mixer) so that nearly all of its time is matrix products.

TFLite has 1x1 convolutions with transposes around them, and layer norms in eleven operators. Nothing is approximated
here; each step is an identity:

1. A 1x1 convolution of a table of tokens by channels is a matrix product: from the left where it mixes tokens, from the
   right where it mixes channels. No transpose is left.
2. x r g - mean r g, where r = 1 / sqrt(variance + epsilon), is LayerNormalization with the scale g.
3. Only the first token is read in the end: the last block computes no other once its tokens are mixed.
4. The last product that mixes tokens adds the residual in place of its bias. That bias would add the same to all
   channels of a token, which every layer norm takes away again: only the head sees it, as a part of its own bias.
5. The first token of all is a constant: a row of zeros in the weights of the stem, and the constant in its bias, make
   it without a Concat. The factor of the points, a power of two, goes into the weights.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# The first version that has LayerNormalization.
OPSET = 17
# The two round differently: 3e-6 at most in outputs of 0 to 1.
TOLERANCE = 1e-5


class _Mixer:
    """The constants of the translated network by what they are for, in the order of its layers."""

    def __init__(self, graph):
        self.nodes = graph.node
        self.constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        self.producers = {node.output[0]: node.op_type for node in graph.node}
        # Each as (weights of outputs by inputs, bias).
        self.mix_points, self.embed, *layers, self.head = self._convolutions()
        # A block is a pair of layers over the tokens and one over the channels, each after a layer norm.
        pairs = list(zip(self._operands("Mul", "Reciprocal"), layers[::2], layers[1::2], strict=True))
        self.blocks = list(zip(pairs[::2], pairs[1::2], strict=True))
        (self.epsilon,) = {float(epsilon) for epsilon in self._operands("Add", "ReduceMean")}
        (self.factor,) = self._operands("Mul", "Slice")
        (first_token,) = [self.constants[node.input[0]] for node in graph.node if node.op_type == "Concat"]
        self.first_token = first_token.reshape(1, -1)

    def _convolutions(self):
        for node in self.nodes:
            if node.op_type == "Conv":
                weights, bias = (self.constants[name] for name in node.input[1:])
                yield weights.reshape(weights.shape[:2]), bias

    def _operands(self, operator, producer):
        """The constants that these operators combine with what the producer gives."""
        return [
            self.constants[node.input[1]]
            for node in self.nodes
            if node.op_type == operator and self.producers.get(node.input[0]) == producer
        ]


class _Builder:
    """The new graph. Tables are tokens by channels, of two axes: ONNX Runtime fuses Gemm with Relu."""

    def __init__(self, mixer):
        self.mixer = mixer
        self.nodes, self.constants = [], []

    def _constant(self, array, kind=np.float32):
        name = f"c_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array, kind), name))
        return name

    def _node(self, operator, *inputs, output=None, **attributes):
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _normal(self, table, scale):
        return self._node("LayerNormalization", table, self._constant(scale), axis=-1, epsilon=self.mixer.epsilon)

    def _over_tokens(self, weights, table, added):
        return self._node("Gemm", self._constant(weights), table, added)

    def _over_channels(self, table, weights, bias):
        return self._node("Gemm", table, self._constant(weights), self._constant(bias), transB=1)

    def _scaled_points(self, points):
        """The points about their mean, over their mean distance from it."""
        centred = self._node("Sub", points, self._node("ReduceMean", points, axes=[1]))
        size = self._node("ReduceMean", self._node("ReduceL2", centred, axes=[2]))
        return self._node("Squeeze", self._node("Div", centred, size), self._constant([0], np.int64))

    def _stem(self, points):
        weights, bias = self.mixer.mix_points
        weights = np.pad(weights * self.mixer.factor, [(1, 0), (0, 0)])
        bias = self._constant(np.pad(bias, (1, 0))[:, None])
        mixed = self._over_tokens(weights, self._scaled_points(points), bias)
        weights, bias = self.mixer.embed
        others = np.tile(bias, (len(self.mixer.mix_points[0]), 1))
        return self._over_channels(mixed, weights, np.concatenate([self.mixer.first_token, others]))

    def _mix_tokens(self, table, layers, first_only):
        scale, (weights, bias), (weights_out, _) = layers
        hidden = self._over_tokens(weights, self._normal(table, scale), self._constant(bias[:, None]))
        if first_only:
            weights_out = weights_out[:1]
            table = self._node("Slice", table, *(self._constant([i], np.int64) for i in [0, 1, 0]))
        return self._over_tokens(weights_out, self._node("Relu", hidden), table)

    def _mix_channels(self, table, layers):
        scale, (weights, bias), (weights_out, bias_out) = layers
        hidden = self._node("Relu", self._over_channels(self._normal(table, scale), weights, bias))
        return self._node("Add", self._over_channels(hidden, weights_out, bias_out), table)

    def _head(self, table, output):
        weights, bias = self.mixer.head
        # In float64, so that the order of the sums, which is the processor's affair, cannot change the file.
        left_out = sum(float(bias_out[0]) for (_, _, (_, bias_out)), _ in self.mixer.blocks)
        logits = self._over_channels(table, weights, bias + left_out * weights.sum(axis=1, dtype=np.float64))
        self._node("Squeeze", self._node("Sigmoid", logits), self._constant([0], np.int64), output=output)

    def build(self, points, output):
        table = self._stem(points)
        last = len(self.mixer.blocks) - 1
        for k, (token_layers, channel_layers) in enumerate(self.mixer.blocks):
            table = self._mix_tokens(table, token_layers, first_only=k == last)
            table = self._mix_channels(table, channel_layers)
        self._head(table, output)


def _require_equal(old, new):
    (points,) = old.graph.input
    shape = [size.dim_value for size in points.type.tensor_type.shape.dim]
    feed = {points.name: np.random.default_rng(0).uniform(50, 900, shape).astype(np.float32)}
    (expected,), (given,) = (ReferenceEvaluator(model).run(None, feed) for model in (old, new))
    if expected.shape != given.shape or not np.allclose(expected, given, rtol=0, atol=TOLERANCE):
        raise ValueError("this is not the mixer that the rewriting is for")


def relay(model):
    """The same network as matrix products and layer norms."""
    builder = _Builder(_Mixer(model.graph))
    builder.build(model.graph.input[0].name, model.graph.output[0].name)
    relaid = onnx.ModelProto()
    relaid.CopyFrom(model)
    relaid.opset_import[0].version = OPSET
    del relaid.graph.node[:], relaid.graph.initializer[:], relaid.graph.value_info[:]
    relaid.graph.node.extend(builder.nodes)
    relaid.graph.initializer.extend(builder.constants)
    onnx.checker.check_model(relaid, full_check=True)
    _require_equal(model, relaid)
    return relaid
