//! Weights that lie beside a graph: PyTorch's newer exporter writes them to `NAME.onnx.data` unless told otherwise.
//!
//! The messages are those of `onnx.proto`, reduced to the fields that can name such a file; the rest is skipped.

use std::collections::BTreeSet;

use prost::Message;

/// `TensorProto.DataLocation.EXTERNAL`
const EXTERNAL: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "25")]
    functions: Vec<Function>,
}

#[derive(Clone, PartialEq, Message)]
struct Function {
    #[prost(message, repeated, tag = "7")]
    node: Vec<Node>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "15")]
    sparse_initializer: Vec<SparseTensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(message, optional, tag = "5")]
    tensor: Option<Tensor>,
    #[prost(message, optional, tag = "6")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "10")]
    tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    graphs: Vec<Graph>,
}

#[derive(Clone, PartialEq, Message)]
struct SparseTensor {
    #[prost(message, optional, tag = "1")]
    values: Option<Tensor>,
    #[prost(message, optional, tag = "2")]
    indices: Option<Tensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(message, repeated, tag = "13")]
    external_data: Vec<Entry>,
    #[prost(int32, tag = "14")]
    data_location: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// The files beside a serialised graph that hold its weights, as the graph names them, in order and without repeats.
///
/// # Errors
/// The decoder's words where the bytes are not a serialised model.
pub fn external_files(model: &[u8]) -> Result<Vec<String>, String> {
    let model = Model::decode(model).map_err(|error| error.to_string())?;
    let mut files = BTreeSet::new();
    model.graph.iter().for_each(|graph| in_graph(graph, &mut files));
    model.functions.iter().for_each(|function| in_nodes(&function.node, &mut files));
    Ok(files.into_iter().collect())
}

fn in_graph(graph: &Graph, files: &mut BTreeSet<String>) {
    let sparse = graph.sparse_initializer.iter().flat_map(|sparse| sparse.values.iter().chain(&sparse.indices));
    in_tensors(graph.initializer.iter().chain(sparse), files);
    in_nodes(&graph.node, files);
}

fn in_nodes(nodes: &[Node], files: &mut BTreeSet<String>) {
    for attribute in nodes.iter().flat_map(|node| &node.attribute) {
        in_tensors(attribute.tensor.iter().chain(&attribute.tensors), files);
        attribute.graph.iter().chain(&attribute.graphs).for_each(|graph| in_graph(graph, files));
    }
}

fn in_tensors<'a>(tensors: impl Iterator<Item = &'a Tensor>, files: &mut BTreeSet<String>) {
    for tensor in tensors.filter(|tensor| tensor.data_location == EXTERNAL) {
        files.extend(
            tensor.external_data.iter().filter(|entry| entry.key == "location").map(|entry| entry.value.clone()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(file: &str) -> Tensor {
        let entry = Entry { key: "location".to_owned(), value: file.to_owned() };
        Tensor { external_data: vec![entry], data_location: EXTERNAL }
    }

    #[test]
    fn files_are_found_wherever_a_tensor_can_stand() {
        let attribute = Attribute { tensor: Some(outside("in-attribute")), ..Attribute::default() };
        let subgraph = Graph { initializer: vec![outside("in-subgraph")], ..Graph::default() };
        let branch = Attribute { graph: Some(subgraph), ..Attribute::default() };
        let graph = Graph {
            node: vec![Node { attribute: vec![attribute, branch] }],
            initializer: vec![outside("b"), outside("b"), Tensor::default()],
            sparse_initializer: Vec::new(),
        };
        let model = Model { graph: Some(graph), functions: Vec::new() };
        assert_eq!(external_files(&model.encode_to_vec()).unwrap(), ["b", "in-attribute", "in-subgraph"]);
    }

    #[test]
    fn a_graph_of_our_own_has_none_and_noise_is_an_error() {
        assert!(external_files(&crate::graph::probe_graph()).unwrap().is_empty());
        assert!(external_files(&[0xff; 9]).is_err());
    }
}
