"""Translates a TFLite network of floats into ONNX, operator by operator and without touching a weight.

TFLite keeps pictures as NHWC, ONNX's convolutions want NCHW. Each tensor is therefore known under either layout, or
both, and a Transpose is put in only where an operator asks for the layout that is not there yet.

Only the operators that MediaPipe's face networks use are known; any other is an error.
"""

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

NHWC, NCHW = "nhwc", "nchw"
TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
IR_VERSION = 8

OPERATOR_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
ELEMENT_TYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.UINT8: np.uint8,
    tflite.TensorType.INT64: np.int64,
    tflite.TensorType.BOOL: np.bool_,
    tflite.TensorType.INT8: np.int8,
}
# Constants smaller than this are stored once, however often they are used.
SHARED_BELOW = 64

UNARY = {"RELU": "Relu", "LOGISTIC": "Sigmoid", "NEG": "Neg", "SQRT": "Sqrt", "RSQRT": None}
BINARY_OPTIONS = {
    "ADD": tflite.AddOptions,
    "MUL": tflite.MulOptions,
    "SUB": tflite.SubOptions,
    "DIV": tflite.DivOptions,
    "SQUARED_DIFFERENCE": None,
}


class Unsupported(Exception):
    """The network has something that this translation does not know."""


class GraphBuilder:
    """Nodes and constants of an ONNX graph under names that depend on nothing but the order of the calls."""

    def __init__(self):
        self.nodes, self.constants = [], {}
        self._count = 0

    def name(self, prefix):
        self._count += 1
        return f"{prefix}_{self._count}"

    def constant(self, array, prefix="c"):
        """Stores an array and gives its name."""
        array = np.array(array, order="C")
        for name, known in self.constants.items():
            same_kind = known.dtype == array.dtype and known.shape == array.shape
            if same_kind and array.size < SHARED_BELOW and np.array_equal(known, array):
                return name
        name = self.name(prefix)
        self.constants[name] = array
        return name

    def integers(self, values):
        return self.constant(np.array(values, np.int64))

    def node(self, operator, inputs, **attributes):
        """Adds a node and gives the name of its one output."""
        output = self.name(operator.lower())
        self.nodes.append(helper.make_node(operator, inputs, [output], name=self.name("n"), **attributes))
        return output


class Translator:
    """One TFLite file on its way to ONNX."""

    def __init__(self, content, input_name, output_names):
        self.model = tflite.Model.GetRootAsModel(content, 0)
        self.source = self.model.Subgraphs(0)
        self.graph = GraphBuilder()
        self.shapes = [self._shape(self.source.Tensors(i)) for i in range(self.source.TensorsLength())]
        self.constants = dict(self._stored_constants())
        if self.source.InputsLength() != 1:
            raise Unsupported("a network with several inputs")
        self.input, self.input_name, self.output_names = self.source.Inputs(0), input_name, output_names
        # For each tensor that is computed: its name under each layout that it has.
        self.names = {self.input: {NHWC: input_name}}

    @staticmethod
    def _shape(tensor):
        return [int(size) for size in np.atleast_1d(tensor.ShapeAsNumpy())] if tensor.ShapeLength() else []

    def _stored_constants(self):
        for i, shape in enumerate(self.shapes):
            tensor = self.source.Tensors(i)
            buffer = self.model.Buffers(tensor.Buffer())
            if buffer.DataLength():
                array = np.frombuffer(buffer.DataAsNumpy().tobytes(), ELEMENT_TYPES[tensor.Type()]).reshape(shape)
                yield i, array.astype(np.float32) if array.dtype == np.float16 else array.copy()

    def translate(self, description, opset):
        """The ONNX model."""
        for i in range(self.source.OperatorsLength()):
            self._operator(self.source.Operators(i))
        outputs = []
        for k, name in enumerate(self.output_names):
            tensor = self.source.Outputs(k)
            self.graph.nodes.append(helper.make_node("Identity", [self.tensor(tensor, NHWC)], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, self.shapes[tensor]))
        inputs = [helper.make_tensor_value_info(self.input_name, TensorProto.FLOAT, self.shapes[self.input])]
        constants = [numpy_helper.from_array(array, name) for name, array in self.graph.constants.items()]
        model = helper.make_model(
            helper.make_graph(self.graph.nodes, "g", inputs, outputs, constants),
            opset_imports=[helper.make_opsetid("", opset)],
            producer_name="tflite-to-onnx (hand conversion)",
            doc_string=description,
        )
        model.ir_version = IR_VERSION
        drop_identities(model.graph)
        onnx.checker.check_model(model, full_check=True)
        return model

    def tensor(self, index, layout):
        """The name of a tensor in a layout; brings it there where it is not."""
        if index in self.constants:
            array = self.constants[index]
            if layout == NCHW and array.ndim >= 3:
                array = np.moveaxis(array, -1, -3)
            return self.graph.constant(array)
        known = self.names[index]
        if layout not in known:
            source, permutation = (NHWC, TO_NCHW) if layout == NCHW else (NCHW, TO_NHWC)
            known[layout] = self.graph.node("Transpose", [known[source]], perm=permutation)
        return known[layout]

    def _has(self, index, layout):
        return layout in self.names.get(index, {})

    def _operator(self, operator):
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        name = OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = [operator.Inputs(k) for k in range(operator.InputsLength())]
        output = operator.Outputs(0)
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            self._convolution(operator, inputs, output, depthwise=name != "CONV_2D")
        elif name in UNARY:
            self._unary(name, inputs, output)
        elif name in BINARY_OPTIONS:
            self._binary(name, operator, inputs, output)
        elif name in ("MEAN", "SUM"):
            self._reduction(name, operator, inputs, output)
        else:
            translation = getattr(self, f"_{name.lower()}", None)
            if translation is None:
                raise Unsupported(f"operator {name}")
            translation(operator, inputs, output)

    @staticmethod
    def _options(operator, kind):
        options = kind()
        options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
        return options

    def _activated(self, name, activation):
        if activation == tflite.ActivationFunctionType.NONE:
            return name
        if activation == tflite.ActivationFunctionType.RELU:
            return self.graph.node("Relu", [name])
        if activation == tflite.ActivationFunctionType.RELU6:
            bounds = [self.graph.constant(np.float32(bound)) for bound in (0, 6)]
            return self.graph.node("Clip", [name, *bounds])
        raise Unsupported(f"activation {activation}")

    @staticmethod
    def _pads(shape, kernel, strides, dilations, padding):
        """ONNX pads (tops then bottoms) of TFLite's SAME, which puts the odd pixel below; none for VALID."""
        if padding != tflite.Padding.SAME:
            return [0, 0, 0, 0]
        begins, ends = [], []
        for size, width, stride, dilation in zip(shape[1:3], kernel, strides, dilations):
            total = max((-(-size // stride) - 1) * stride + (width - 1) * dilation + 1 - size, 0)
            begins.append(total // 2)
            ends.append(total - total // 2)
        return begins + ends

    def _convolution(self, operator, inputs, output, depthwise):
        options = self._options(operator, tflite.DepthwiseConv2DOptions if depthwise else tflite.Conv2DOptions)
        weights, shape = self.constants[inputs[1]], self.shapes[inputs[0]]
        kernel = list(weights.shape[1:3])
        strides = [options.StrideH(), options.StrideW()]
        dilations = [options.DilationHFactor(), options.DilationWFactor()]
        pads = self._pads(shape, kernel, strides, dilations, options.Padding())
        laid = weights.transpose(3, 0, 1, 2) if depthwise else weights.transpose(0, 3, 1, 2)
        operands = [self.tensor(inputs[0], NCHW), self.graph.constant(laid, "w")]
        if len(inputs) > 2 and inputs[2] >= 0:
            operands.append(self.graph.constant(self.constants[inputs[2]], "b"))
        group = shape[3] if depthwise else 1
        attributes = {"kernel_shape": kernel, "strides": strides, "pads": pads, "group": group, "dilations": dilations}
        result = self.graph.node("Conv", operands, **attributes)
        self.names[output] = {NCHW: self._activated(result, options.FusedActivationFunction())}

    def _max_pool_2d(self, operator, inputs, output):
        options = self._options(operator, tflite.Pool2DOptions)
        kernel, strides = [options.FilterHeight(), options.FilterWidth()], [options.StrideH(), options.StrideW()]
        pads = self._pads(self.shapes[inputs[0]], kernel, strides, [1, 1], options.Padding())
        source = self.tensor(inputs[0], NCHW)
        result = self.graph.node("MaxPool", [source], kernel_shape=kernel, strides=strides, pads=pads)
        self.names[output] = {NCHW: self._activated(result, options.FusedActivationFunction())}

    def _prelu(self, _operator, inputs, output):
        source = self.tensor(inputs[0], NCHW)
        slopes = self.graph.constant(self.constants[inputs[1]].transpose(2, 0, 1), "s")
        self.names[output] = {NCHW: self.graph.node("PRelu", [source, slopes])}

    def _unary(self, name, inputs, output):
        layout = NCHW if self._has(inputs[0], NCHW) else NHWC
        source = self.tensor(inputs[0], layout)
        if name == "RSQRT":
            result = self.graph.node("Reciprocal", [self.graph.node("Sqrt", [source])])
        else:
            result = self.graph.node(UNARY[name], [source])
        self.names[output] = {layout: result}

    def _binary_layout(self, inputs):
        """NCHW where that spares a transpose and broadcasting allows it."""
        computed = [i for i in inputs if i not in self.constants]
        pictures = [len(self.shapes[i]) == 4 for i in computed]
        if len(computed) == 2 and all(pictures):
            return NCHW if any(self._has(i, NCHW) for i in computed) else NHWC
        fixed = [i for i in inputs if i in self.constants]
        broadcasts = all(len(self.shapes[i]) in (0, 4) or self.constants[i].size == 1 for i in fixed)
        return NCHW if computed and broadcasts and all(self._has(i, NCHW) for i in computed) else NHWC

    def _binary(self, name, operator, inputs, output):
        layout = self._binary_layout(inputs)
        left, right = self.tensor(inputs[0], layout), self.tensor(inputs[1], layout)
        if name == "SQUARED_DIFFERENCE":
            difference = self.graph.node("Sub", [left, right])
            self.names[output] = {layout: self.graph.node("Mul", [difference, difference])}
            return
        result = self.graph.node(name.capitalize(), [left, right])
        if operator.BuiltinOptions():
            options = self._options(operator, BINARY_OPTIONS[name])
            result = self._activated(result, options.FusedActivationFunction())
        self.names[output] = {layout: result}

    def _dequantize(self, _operator, inputs, output):
        # Weights stored as float16: they are widened here, not in the graph.
        self.constants[output] = self.constants[inputs[0]].astype(np.float32)

    def _pad(self, _operator, inputs, output):
        pads = self.constants[inputs[1]].astype(np.int64)
        layout = NHWC
        if len(self.shapes[inputs[0]]) == 4:
            layout, pads = NCHW, pads[TO_NCHW]
        operands = [self.tensor(inputs[0], layout), self.graph.integers(np.concatenate([pads[:, 0], pads[:, 1]]))]
        operands.append(self.graph.constant(np.float32(0)))
        self.names[output] = {layout: self.graph.node("Pad", operands, mode="constant")}

    def _reshape(self, _operator, inputs, output):
        operands = [self.tensor(inputs[0], NHWC), self.graph.integers(self.shapes[output])]
        self.names[output] = {NHWC: self.graph.node("Reshape", operands)}

    def _concatenation(self, operator, inputs, output):
        options = self._options(operator, tflite.ConcatenationOptions)
        result = self.graph.node("Concat", [self.tensor(i, NHWC) for i in inputs], axis=options.Axis())
        self.names[output] = {NHWC: self._activated(result, options.FusedActivationFunction())}

    def _reduction(self, name, operator, inputs, output):
        keep = int(self._options(operator, tflite.ReducerOptions).KeepDims())
        axes = [int(axis) for axis in np.atleast_1d(self.constants[inputs[1]])]
        source = self.tensor(inputs[0], NHWC)
        if name == "MEAN":
            result = self.graph.node("ReduceMean", [source], axes=axes, keepdims=keep)
        else:
            result = self.graph.node("ReduceSum", [source, self.graph.integers(axes)], keepdims=keep)
        self.names[output] = {NHWC: result}

    def _transpose(self, _operator, inputs, output):
        permutation = [int(axis) for axis in self.constants[inputs[1]]]
        self.names[output] = {NHWC: self.graph.node("Transpose", [self.tensor(inputs[0], NHWC)], perm=permutation)}

    def _strided_slice(self, operator, inputs, output):
        options = self._options(operator, tflite.StridedSliceOptions)
        if options.EllipsisMask() or options.NewAxisMask():
            raise Unsupported("a slice with an ellipsis or a new axis")
        shape = self.shapes[inputs[0]]
        begins, ends, steps = ([int(v) for v in self.constants[i]] for i in inputs[1:4])
        dropped = []
        for axis in range(len(begins)):
            if options.BeginMask() >> axis & 1:
                begins[axis] = 0
            if options.EndMask() >> axis & 1:
                ends[axis] = shape[axis]
            if options.ShrinkAxisMask() >> axis & 1:
                ends[axis] = begins[axis] + 1 if begins[axis] != -1 else shape[axis]
                dropped.append(axis)
        operands = [self.tensor(inputs[0], NHWC)]
        operands += [self.graph.integers(values) for values in (begins, ends, list(range(len(begins))), steps)]
        result = self.graph.node("Slice", operands)
        if dropped:
            result = self.graph.node("Squeeze", [result, self.graph.integers(dropped)])
        self.names[output] = {NHWC: result}


def drop_identities(graph):
    """Gives the graph's outputs to the nodes that compute them, where nothing else reads these tensors."""
    producers = {output: node for node in graph.node for output in node.output}
    uses = [name for node in graph.node for name in node.input]
    for node in list(graph.node):
        if node.op_type == "Identity" and uses.count(node.input[0]) == 1 and node.input[0] in producers:
            producer = producers[node.input[0]]
            producer.output[list(producer.output).index(node.input[0])] = node.output[0]
            graph.node.remove(node)


def translate(content, input_name, output_names, description="", opset=13):
    """The ONNX model of the bytes of a TFLite file; outputs are named in the file's order."""
    return Translator(content, input_name, output_names).translate(description, opset)
