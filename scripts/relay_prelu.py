"""Rewrites the activations of a convolutional ONNX graph so that ONNX Runtime's kernels keep their blocked layout.

ONNX Runtime runs PRelu outside of that layout, and slowly: in the landmark network it took 57 % of the time, the
reorders around it 14 %. Nothing is approximated here; each step is an identity:

1. PRelu(x) = x + (1 - s) Relu(-x): two depthwise 1x1 convolutions, the first fused with its Relu, the second with the
   sum.
2. Conv, PRelu, depthwise, pointwise with few channels: the convolution writes [z, -z] through a fused Relu, the
   depthwise weights become [w, -s w] and the pointwise ones [W, W]: PRelu costs nothing, in channels that padding would
   leave empty.
3. Channels are padded with zeros to a multiple of 16 (the block of AVX-512, and a multiple of AVX2's 8).
4. Pad along the channels becomes a 1x1 convolution with an identity, fused with the sum that follows.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

BLOCK = 16
# Step 2 doubles the channels: it pays up to half a block.
SPLIT_UP_TO = BLOCK // 2
# Operators that leave channels of zeros at zero.
CARRIES_PADDING = {"Conv", "PRelu", "Add", "MaxPool", "Pad"}


def _padded(channels):
    return -(-channels // BLOCK) * BLOCK


def _grown(array, *shape):
    """The array in the corner of a larger one of zeros; axes that are not named keep their size."""
    grown = np.zeros(shape + array.shape[len(shape) :], np.float32)
    grown[tuple(slice(size) for size in array.shape[: len(shape)])] = array
    return grown


def _attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _is_depthwise(node):
    return node.op_type == "Conv" and _attributes(node).get("group", 1) > 1


class _Relayer:
    def __init__(self, graph):
        self.graph = graph
        self.constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        shapes = {v.name: v.type.tensor_type.shape.dim for v in [*graph.value_info, *graph.output, *graph.input]}
        self.channels = {name: shape[1].dim_value for name, shape in shapes.items() if len(shape) == 4}
        self.producers = {node.output[0]: node for node in graph.node}
        self.consumers = {}
        for node in graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self.outputs = {output.name for output in graph.output}
        # What the new graph is made of.
        self.nodes, self.weights = [], {}
        # A PRelu that costs nothing leaves its input's name in the place of its output's.
        self.alias = {}
        self._find_splits()

    def _only_consumer(self, tensor):
        consumers = self.consumers.get(tensor, [])
        return consumers[0] if len(consumers) == 1 and tensor not in self.outputs else None

    def _find_splits(self):
        """Outputs of the convolutions that step 2 changes; for the depthwise ones, the slopes of the PRelu before."""
        self.split_first, self.split_depthwise, self.split_pointwise = set(), {}, set()
        for node in self.graph.node:
            if node.op_type != "PRelu" or self.channels[node.input[0]] > SPLIT_UP_TO:
                continue
            first, depthwise = self.producers[node.input[0]], self._only_consumer(node.output[0])
            if first.op_type != "Conv" or self._only_consumer(node.input[0]) is not node:
                continue
            if depthwise is None or not _is_depthwise(depthwise):
                continue
            pointwise = self._only_consumer(depthwise.output[0])
            if pointwise is not None and pointwise.op_type == "Conv":
                self.split_first.add(first.output[0])
                self.split_depthwise[depthwise.output[0]] = self.constants[node.input[1]].reshape(-1)
                self.split_pointwise.add(pointwise.output[0])

    def _width(self, tensor):
        """Channels of a tensor in the new graph."""
        node = self.producers.get(tensor)
        carried = node is not None and node.op_type in CARRIES_PADDING and tensor not in self.outputs
        carried = carried and all(consumer.op_type in CARRIES_PADDING for consumer in self.consumers[tensor])
        return _padded(self.channels[tensor]) if carried else self.channels[tensor]

    def _store(self, name, array):
        self.weights[name] = np.ascontiguousarray(array, np.float32)
        return name

    def _add_conv(self, source, output, weights, bias=None, **attributes):
        inputs = [source, self._store(output + "_w", weights)]
        if bias is not None:
            inputs.append(self._store(output + "_b", bias))
        self.nodes.append(helper.make_node("Conv", inputs, [output], name=output, **attributes))

    def _add_relu(self, source, output):
        self.nodes.append(helper.make_node("Relu", [source], [output], name=output))

    def _conv(self, node, source):
        output = node.output[0]
        weights, bias, attributes = self.constants[node.input[1]], self.constants[node.input[2]], _attributes(node)
        width, doubled = self._width(output), _padded(2 * len(weights))
        if output in self.split_first:
            weights, bias = np.concatenate([weights, -weights]), np.concatenate([bias, -bias])
            weights = _grown(weights, doubled, self._width(node.input[0]))
            self._add_conv(source, output + "_z", weights, _grown(bias, doubled), **attributes)
            self._add_relu(output + "_z", output)
            return
        if output in self.split_depthwise:
            slopes = self.split_depthwise[output][:, None, None, None]
            attributes["group"] = width = doubled
            weights = _grown(np.concatenate([weights, -slopes * weights]), doubled)
        elif output in self.split_pointwise:
            weights = _grown(np.concatenate([weights, weights], 1), width, _padded(2 * weights.shape[1]))
        elif _is_depthwise(node):
            attributes["group"] = width
            weights = _grown(weights, width)
        else:
            weights = _grown(weights, width, self._width(node.input[0]))
        self._add_conv(source, output, weights, _grown(bias, width), **attributes)

    def _prelu(self, node, source):
        output = node.output[0]
        if node.input[0] in self.split_first:
            self.alias[output] = node.input[0]
            return
        slopes, width = self.constants[node.input[1]].reshape(-1), self._width(output)
        self._add_conv(source, output + "_n", -np.ones((width, 1, 1, 1)), group=width, kernel_shape=[1, 1])
        self._add_relu(output + "_n", output + "_r")
        kept = _grown((1 - slopes).reshape(-1, 1, 1, 1), width)
        self._add_conv(output + "_r", output + "_d", kept, group=width, kernel_shape=[1, 1])
        self.nodes.append(helper.make_node("Add", [output + "_d", source], [output], name=output))

    def _pad(self, node, source):
        pads = self.constants[node.input[1]]  # of N, C, H, W: first the begins, then the ends
        if pads[[0, 1, 2, 3, 4, 6, 7]].any():
            raise ValueError("only channels added at the end can be rewritten")
        identity = np.eye(self._width(node.output[0]), self._width(node.input[0]))[:, :, None, None]
        self._add_conv(source, node.output[0], identity, kernel_shape=[1, 1])

    def run(self):
        changes = {"Conv": self._conv, "PRelu": self._prelu, "Pad": self._pad}
        for node in self.graph.node:
            if node.op_type in changes:
                changes[node.op_type](node, self.alias.get(node.input[0], node.input[0]))
                continue
            self.weights.update({name: self.constants[name] for name in node.input if name in self.constants})
            self.nodes.append(node)
        constants = [numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        del self.graph.node[:], self.graph.initializer[:], self.graph.value_info[:]
        self.graph.node.extend(self.nodes)
        self.graph.initializer.extend(constants)


def relay(model):
    """The same network (NCHW, float32) without PRelu."""
    model = shape_inference.infer_shapes(model)
    _Relayer(model.graph).run()
    onnx.checker.check_model(model, full_check=True)
    return model
