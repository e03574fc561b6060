//! A small graph that keeps the contract with uniform attention, and can be told to break it in one place.

use hirenet_core::Modality;
use hirenet_onnx::graph::{Attr, Dim, Element, Graph, Value};
use serde_json::{Value as Json, json};

use super::schema;

/// What the graph does wrong inside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Attention is spread over the padding too.
    Unmasked,
    /// An absent modality's logit is 1.
    AbsentLogit,
    /// The fused logit is NaN.
    Nan,
    /// The fused logit comes once for each answer.
    Shape,
    /// The answer attention is declared with a trace's own length, and is dynamic all the same.
    TracedShape,
}

pub(crate) struct Toy {
    pub(crate) modalities: Vec<Modality>,
    /// The card, or `None` for a graph without.
    pub(crate) card: Option<Json>,
    /// An input or output that is left out.
    pub(crate) without: &'static str,
    pub(crate) extra_input: Option<&'static str>,
    pub(crate) extra_output: Option<&'static str>,
    pub(crate) extra_metadata: Option<(&'static str, &'static str)>,
    /// Axis A of the first modality's rows.
    pub(crate) answers: Dim<'static>,
    /// Axis T.
    pub(crate) rows: Dim<'static>,
    /// Added to each width.
    pub(crate) wider_by: i64,
    pub(crate) lengths: Element,
    pub(crate) fault: Fault,
}

impl Toy {
    pub(crate) fn new(modalities: &[Modality]) -> Toy {
        let mut schemas = json!({"context": "context/hash256/1"});
        let mut calibration = json!({"fused": {"a": 1.0, "b": 0.0}});
        for modality in modalities {
            schemas[modality.as_str()] = json!(schema(*modality).id);
            calibration[modality.as_str()] = json!({"a": 2.0, "b": 1.0});
        }
        let card = json!({
            "contract": 1, "name": "toy", "version": "3", "kind": "trained", "schemas": schemas, "threshold": 0.4,
            "calibration": calibration, "trained_on": "nothing", "intended_use": "tests", "licence": "MIT",
        });
        Toy {
            modalities: modalities.to_vec(),
            card: Some(card),
            without: "",
            extra_input: None,
            extra_output: None,
            extra_metadata: None,
            // Other names than the shipped bundle's: they are free.
            answers: Dim::Named("batch"),
            rows: Dim::Named("time"),
            wider_by: 0,
            lengths: Element::I64,
            fault: Fault::None,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut g = Graph::new("toy");
        let (mut logits, mut present) = (vec![g.constant_f32(&[1], &[0.0])], Vec::new());
        for modality in Modality::ALL {
            if self.modalities.contains(&modality) {
                let (logit, any) = self.branch(&mut g, modality);
                logits.push(logit);
                present.push(any);
            } else {
                present.push(g.constant_f32(&[1], &[0.0]));
            }
        }
        let [question, _] = [("question", Dim::Named("batch")), ("title", Dim::Fixed(1))].map(|(name, axis)| {
            self.input(&mut g, &format!("{name}_len"), self.lengths, &[axis]);
            self.input(&mut g, name, Element::F32, &[axis, Dim::Named("words"), Dim::Fixed(256 + self.wider_by)])
        });
        if let Some(name) = self.extra_input {
            self.input(&mut g, name, Element::F32, &[Dim::Fixed(1)]);
        }
        let mut logit = g.op("Sum", &logits.iter().collect::<Vec<_>>(), &[]);
        if self.fault == Fault::Nan {
            let negative = g.constant_f32(&[1], &[-1.0]);
            let nan = g.op("Log", &[&negative], &[]);
            logit = g.op("Add", &[&logit, &nan], &[]);
        }
        let mut axis = Dim::Fixed(1);
        if self.fault == Fault::Shape {
            let answers = g.op("Shape", &[&question], &[("start", Attr::Int(0)), ("end", Attr::Int(1))]);
            logit = g.op("Tile", &[&logit, &answers], &[]);
            axis = Dim::Named("unknown");
        }
        let gates = g.op("Concat", &present.iter().collect::<Vec<_>>(), &[("axis", Attr::Int(0))]);
        let gates = normalised(&mut g, &gates);
        self.output(&mut g, "logit", &logit, &[axis]);
        self.output(&mut g, "modality_attention", &gates, &[Dim::Fixed(3)]);
        if let Some(name) = self.extra_output {
            self.output(&mut g, name, &logit, &[Dim::Fixed(1)]);
        }
        if let Some(card) = &self.card {
            g.metadata("hirenet", &card.to_string());
        }
        if let Some((key, text)) = self.extra_metadata {
            g.metadata(key, text);
        }
        g.to_bytes()
    }

    fn input(&self, g: &mut Graph, name: &str, element: Element, shape: &[Dim<'_>]) -> Value {
        if name == self.without { g.constant_i64(&[1], &[1]) } else { g.input(name, element, shape) }
    }

    fn output(&self, g: &mut Graph, name: &str, value: &Value, shape: &[Dim<'_>]) {
        if name != self.without {
            g.output(name, value, Element::F32, shape);
        }
    }

    /// Uniform attention; the logit is the mean of all features in use. Gives the logit and 1 where any answer is there.
    fn branch(&self, g: &mut Graph, modality: Modality) -> (Value, Value) {
        let width = Dim::Fixed(schema(modality).dim() as i64 + self.wider_by);
        let values = self.input(g, modality.as_str(), Element::F32, &[self.answers, self.rows, width]);
        let lengths = self.input(g, &format!("{modality}_len"), self.lengths, &[Dim::Named("batch")]);
        let float = |g: &mut Graph, v: &Value| g.op("Cast", &[v], &[("to", Attr::Int(1))]);
        let unsqueeze = |g: &mut Graph, v: &Value, axis| {
            let axes = g.constant_i64(&[1], &[axis]);
            g.op("Unsqueeze", &[v, &axes], &[])
        };
        let rows = g.op("Shape", &[&values], &[("start", Attr::Int(1)), ("end", Attr::Int(2))]);
        let axes = g.constant_i64(&[1], &[0]);
        let rows = g.op("Squeeze", &[&rows, &axes], &[]);
        let (zero, one) = (g.constant_i64(&[], &[0]), g.constant_i64(&[], &[1]));
        let index = g.op("Range", &[&zero, &rows, &one], &[]);
        let (index, counts) = (float(g, &index), float(g, &lengths));
        let (index, column) = (unsqueeze(g, &index, 0), unsqueeze(g, &counts, 1));
        let mask = g.op("Less", &[&index, &column], &[]);
        let used = float(g, &mask);
        let floor = g.constant_f32(&[], &[1.0]);
        let divisor = g.op("Max", &[&column, &floor], &[]);
        let mut attention = g.op("Div", &[&used, &divisor], &[]);
        if self.fault == Fault::Unmasked {
            let leak = g.constant_f32(&[], &[0.01]);
            attention = g.op("Add", &[&attention, &leak], &[]);
        }
        let present = g.op("Min", &[&counts, &floor], &[]);
        let answers = normalised(g, &present);
        let weights = unsqueeze(g, &attention, 2);
        let wide = unsqueeze(g, &mask, 2);
        let nothing = g.constant_f32(&[], &[0.0]);
        let clean = g.op("Where", &[&wide, &values, &nothing], &[]);
        let weighted = g.op("Mul", &[&clean, &weights], &[]);
        let sum = g.op("ReduceSum", &[&weighted], &[("keepdims", Attr::Int(0))]);
        let any = g.op("ReduceMax", &[&present], &[("keepdims", Attr::Int(1))]);
        let mut logit = g.op("Mul", &[&sum, &any], &[]);
        if self.fault == Fault::AbsentLogit {
            let absent = g.op("Sub", &[&floor, &any], &[]);
            logit = g.op("Add", &[&logit, &absent], &[]);
        }
        self.output(g, &format!("logit_{modality}"), &logit, &[Dim::Fixed(1)]);
        let batch = if self.fault == Fault::TracedShape { Dim::Fixed(3) } else { Dim::Named("batch") };
        let shape = [batch, Dim::Named("time_out")];
        self.output(g, &format!("{modality}_attention"), &attention, &shape);
        self.output(g, &format!("{modality}_answer_attention"), &answers, &shape[..1]);
        (logit, any)
    }
}

/// Values over their sum, or zeros where it is 0.
fn normalised(g: &mut Graph, values: &Value) -> Value {
    let sum = g.op("ReduceSum", &[values], &[("keepdims", Attr::Int(1))]);
    let one = g.constant_f32(&[], &[1.0]);
    let divisor = g.op("Max", &[&sum, &one], &[]);
    g.op("Div", &[values, &divisor], &[])
}
