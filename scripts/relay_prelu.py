"""Rewrites the activations of a convolutional ONNX graph so that ONNX Runtime's kernels keep their blocked layout.

ONNX Runtime runs PRelu outside of that layout, with a reorder before and after it. Nothing is approximated here; each
step is an identity:

1. PRelu(x) = x + (1 - s) Relu(-x): two depthwise 1x1 convolutions, the first fused with its Relu, the second with the
   sum.
2. Pad along the channels becomes a 1x1 convolution with an identity, fused with the sum that follows.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference


class _Relayer:
    def __init__(self, graph):
        self.graph = graph
        self.constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        shapes = {v.name: v.type.tensor_type.shape.dim for v in [*graph.value_info, *graph.output, *graph.input]}
        self.channels = {name: shape[1].dim_value for name, shape in shapes.items() if len(shape) == 4}
        # What the new graph is made of.
        self.nodes, self.weights = [], {}

    def _pointwise(self, source, output, weights, group=1):
        name = output + "_w"
        self.weights[name] = np.ascontiguousarray(weights[:, :, None, None], np.float32)
        node = helper.make_node("Conv", [source, name], [output], name=output, group=group, kernel_shape=[1, 1])
        self.nodes.append(node)

    def _prelu(self, node):
        source, output = node.input[0], node.output[0]
        slopes, channels = self.constants[node.input[1]].reshape(-1, 1), self.channels[output]
        self._pointwise(source, output + "_n", -np.ones((channels, 1)), group=channels)
        self.nodes.append(helper.make_node("Relu", [output + "_n"], [output + "_r"], name=output + "_r"))
        self._pointwise(output + "_r", output + "_d", 1 - slopes, group=channels)
        self.nodes.append(helper.make_node("Add", [output + "_d", source], [output], name=output))

    def _pad(self, node):
        pads = self.constants[node.input[1]]  # of N, C, H, W: first the begins, then the ends
        if pads[[0, 1, 2, 3, 4, 6, 7]].any():
            raise ValueError("only channels added at the end can be rewritten")
        self._pointwise(node.input[0], node.output[0], np.eye(self.channels[node.output[0]], self.channels[node.input[0]]))

    def run(self):
        changes = {"PRelu": self._prelu, "Pad": self._pad}
        for node in self.graph.node:
            if node.op_type in changes:
                changes[node.op_type](node)
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
