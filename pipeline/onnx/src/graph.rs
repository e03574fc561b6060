//! The one writer of ONNX graphs: the HireNet export and the voice front end both speak through it.
//!
//! ```
//! use hirenet_onnx::graph::{Attr, Dim, Element, Graph};
//! let mut g = Graph::new("double");
//! let x = g.input("x", Element::F32, &[Dim::Named("n")]);
//! let two = g.constant_f32(&[], &[2.0]);
//! let y = g.op("Mul", &[&x, &two], &[]);
//! g.output("y", &y, Element::F32, &[Dim::Named("n")]);
//! let bytes = g.to_bytes();
//! # assert!(!bytes.is_empty());
//! ```

use prost::Message;

use crate::proto::{
    AttributeProto, DimensionProto, DimensionValue, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// Runs on ONNX Runtime 1.23 and later, CPU and CUDA.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 32-bit signed integer.
    I32,
    /// 64-bit signed integer.
    I64,
    /// Boolean.
    Bool,
}

impl Element {
    /// The number that `onnx.proto` gives it; also what `Cast`'s attribute `to` wants.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Element::F32 => 1,
            Element::I32 => 6,
            Element::I64 => 7,
            Element::Bool => 9,
            Element::F64 => 11,
        }
    }
}

/// One axis of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dim<'a> {
    /// A fixed length.
    Fixed(i64),
    /// A length known at run time.
    Named(&'a str),
}

/// An attribute of an operator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attr<'a> {
    /// A float.
    Float(f32),
    /// An integer.
    Int(i64),
    /// A string.
    Str(&'a str),
    /// A list of integers.
    Ints(&'a [i64]),
}

/// Name of a value inside a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// The absent optional input.
    #[must_use]
    pub fn none() -> Value {
        Value(String::new())
    }

    /// The name it has in the graph.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// A graph under construction, in topological order.
#[derive(Debug, Clone)]
pub struct Graph {
    proto: GraphProto,
    metadata: Vec<StringStringEntryProto>,
    made: usize,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new(name: &str) -> Graph {
        Graph { proto: GraphProto { name: name.to_owned(), ..GraphProto::default() }, metadata: Vec::new(), made: 0 }
    }

    /// Declares an input.
    pub fn input(&mut self, name: &str, element: Element, shape: &[Dim<'_>]) -> Value {
        self.proto.input.push(value_info(name, element, shape));
        Value(name.to_owned())
    }

    /// Declares an output under its own name.
    pub fn output(&mut self, name: &str, value: &Value, element: Element, shape: &[Dim<'_>]) {
        self.node("Identity", &[value], &[name.to_owned()], &[]);
        self.proto.output.push(value_info(name, element, shape));
    }

    /// Adds an operator with one output.
    pub fn op(&mut self, op_type: &str, inputs: &[&Value], attributes: &[(&str, Attr<'_>)]) -> Value {
        let name = self.fresh(op_type);
        self.node(op_type, inputs, std::slice::from_ref(&name), attributes);
        Value(name)
    }

    /// Adds an operator with `N` outputs.
    pub fn op_n<const N: usize>(
        &mut self,
        op_type: &str,
        inputs: &[&Value],
        attributes: &[(&str, Attr<'_>)],
    ) -> [Value; N] {
        let names: [String; N] = std::array::from_fn(|_| self.fresh(op_type));
        self.node(op_type, inputs, &names, attributes);
        names.map(Value)
    }

    /// A constant `f32` tensor; an empty shape is a scalar.
    pub fn constant_f32(&mut self, shape: &[i64], data: &[f32]) -> Value {
        self.constant(Element::F32, shape, data.iter().flat_map(|v| v.to_le_bytes()).collect(), data.len())
    }

    /// A constant `f64` tensor; an empty shape is a scalar.
    pub fn constant_f64(&mut self, shape: &[i64], data: &[f64]) -> Value {
        self.constant(Element::F64, shape, data.iter().flat_map(|v| v.to_le_bytes()).collect(), data.len())
    }

    /// A constant `i64` tensor; an empty shape is a scalar.
    pub fn constant_i64(&mut self, shape: &[i64], data: &[i64]) -> Value {
        self.constant(Element::I64, shape, data.iter().flat_map(|v| v.to_le_bytes()).collect(), data.len())
    }

    /// Adds an entry to the model's metadata.
    pub fn metadata(&mut self, key: &str, value: &str) {
        self.metadata.push(StringStringEntryProto { key: key.to_owned(), value: value.to_owned() });
    }

    /// The serialised model. The same graph gives the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "hirenet".to_owned(),
            graph: Some(self.proto.clone()),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            metadata_props: self.metadata.clone(),
        };
        model.encode_to_vec()
    }

    fn constant(&mut self, element: Element, shape: &[i64], raw_data: Vec<u8>, length: usize) -> Value {
        assert_eq!(shape.iter().product::<i64>(), length as i64, "shape and data of a constant differ");
        let name = self.fresh("const");
        let tensor = TensorProto { dims: shape.to_vec(), data_type: element.code(), name: name.clone(), raw_data };
        self.proto.initializer.push(tensor);
        Value(name)
    }

    fn node(&mut self, op_type: &str, inputs: &[&Value], outputs: &[String], attributes: &[(&str, Attr<'_>)]) {
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|v| v.0.clone()).collect(),
            output: outputs.to_vec(),
            name: format!("node_{}", self.proto.node.len()),
            op_type: op_type.to_owned(),
            attribute: attributes.iter().map(|(name, value)| attribute(name, *value)).collect(),
        });
    }

    fn fresh(&mut self, stem: &str) -> String {
        self.made += 1;
        format!("{}_{}", stem.to_ascii_lowercase(), self.made)
    }
}

fn attribute(name: &str, value: Attr<'_>) -> AttributeProto {
    let mut proto = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    match value {
        Attr::Float(f) => (proto.f, proto.kind) = (Some(f), 1),
        Attr::Int(i) => (proto.i, proto.kind) = (Some(i), 2),
        Attr::Str(s) => (proto.s, proto.kind) = (Some(s.as_bytes().to_vec()), 3),
        Attr::Ints(ints) => (proto.ints, proto.kind) = (ints.to_vec(), 7),
    }
    proto
}

fn value_info(name: &str, element: Element, shape: &[Dim<'_>]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|dim| DimensionProto {
            value: Some(match dim {
                Dim::Fixed(n) => DimensionValue::Fixed(*n),
                Dim::Named(name) => DimensionValue::Named((*name).to_owned()),
            }),
        })
        .collect();
    let tensor = TensorTypeProto { elem_type: element.code(), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.to_owned(), kind: Some(TypeProto { tensor: Some(tensor) }) }
}

/// The smallest graph there is: what a device is probed with.
pub(crate) fn probe_graph() -> Vec<u8> {
    let mut graph = Graph::new("probe");
    let x = graph.input("x", Element::F32, &[Dim::Fixed(1)]);
    let one = graph.constant_f32(&[1], &[1.0]);
    let y = graph.op("Add", &[&x, &one], &[]);
    graph.output("y", &y, Element::F32, &[Dim::Fixed(1)]);
    graph.to_bytes()
}
