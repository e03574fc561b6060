//! `hirenet-train bench`: what `make bench-training` measures of this program. Results go to stdout as JSON.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};
use hirenet_core::{ByModality, Modality};
use hirenet_model::Bundle;
use hirenet_model::export::{UNTRAINED_SEED, untrained};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::print;
use crate::bundle::Networks;
use crate::cli::{Bench, BenchWhat};
use crate::data::split::{Splitting, split};
use crate::data::{
    AnswerSample, Batch, Corpus, Header, Limits, Normalisation, Rows, Sample, SchemaEntries, Split, normalisation,
};
use crate::eval::bundle::{runtime, schema, tracks};
use crate::eval::parity::parity;
use crate::files::make_folder;
use crate::fit::{Adam, Single, Task, TrainOptions, Unseen, checkpoint, train};
use crate::models::{HireNet, Sizes};
use crate::nn::{Dropout, Parameters, Ragged, composed, gru};
use crate::{Result, TrainError};

/// Batches that are compared with a peer, and their interviews.
const BATCHES: usize = 20;
const BATCH: usize = 32;
/// Hidden units of every layer.
const UNITS: usize = 64;
/// Weights of a fusion that is compared, not trained: it starts with zeros, which would hide a difference.
const DRAWN_WITHIN: f32 = 0.3;

pub(super) fn run(arguments: &Bench) -> Result<()> {
    let found = match &arguments.what {
        BenchWhat::Steps { dataset, batches } => steps(dataset, batches)?,
        BenchWhat::Epoch { dataset } => epoch(dataset)?,
        BenchWhat::Parity { interviews } => json!({"max_abs_error": own_parity(*interviews)?}),
        BenchWhat::Recurrence => recurrence()?,
        BenchWhat::Inference { runs } => inference(*runs)?,
    };
    print(&found.to_string())
}

fn vocal(dataset: &Path) -> Result<(Corpus, Vec<usize>, Normalisation)> {
    let corpus = Corpus::open(dataset, &[Modality::Vocal], Limits::default())?;
    let interviews = split(&corpus, Splitting::Given, 1)?.of(Split::Train).to_vec();
    let normalisation = normalisation(&corpus, &interviews)?.remove(&Modality::Vocal);
    let normalisation = normalisation.ok_or_else(|| TrainError::Usage("no vocal tracks".to_owned()))?;
    Ok((corpus, interviews, normalisation))
}

fn network(corpus: &Corpus, normalisation: &Normalisation) -> Result<HireNet> {
    let (columns, words) = (normalisation.mean.len(), corpus.header().context_width());
    Ok(HireNet::new(Parameters::new(1, &Device::Cpu), columns, words, Sizes::uniform(UNITS))?)
}

fn steps(dataset: &Path, folder: &Path) -> Result<serde_json::Value> {
    let (corpus, interviews, normalisation) = vocal(dataset)?;
    let network = network(&corpus, &normalisation)?;
    let single = Single {
        corpus: &corpus,
        modality: Modality::Vocal,
        normalisation: &normalisation,
        network: &network,
        positive: 1.0,
        labels: None,
    };
    make_folder(folder)?;
    let mut batches = Vec::new();
    for (number, chunk) in interviews.chunks(BATCH).take(BATCHES).enumerate() {
        let Some(batch) = single.batch(chunk, None)? else { continue };
        keep(&folder.join(format!("{number:02}.safetensors")), &batch)?;
        batches.push(batch);
    }
    let mut adam = Adam::new(single.parameters())?;
    let mut seconds = Vec::new();
    for (number, batch) in batches[..2.min(batches.len())].iter().chain(&batches).enumerate() {
        let start = Instant::now();
        let loss = single.loss(batch, &mut Dropout::off())?;
        adam.step(single.parameters(), &loss.backward()?, 1e-3, 1.0)?;
        // The first two warm up.
        if number >= 2 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    let rows: usize = batches.iter().map(|b| b.layout.rows()).sum();
    Ok(json!({"seconds": seconds, "rows": rows, "interviews": batches.iter().map(|b| b.samples.len()).sum::<usize>()}))
}

/// A batch for a peer: ragged rows and lengths (as floats).
fn keep(path: &Path, batch: &Batch) -> Result<()> {
    let lengths = |layout: &Ragged| -> Result<Tensor> {
        let lengths: Vec<f32> = (0..layout.sequences()).map(|s| layout.len(s) as f32).collect();
        Ok(Tensor::new(lengths, &Device::Cpu)?)
    };
    let order = batch.order.to_dtype(candle_core::DType::F32)?;
    let tensors = [
        ("rows", batch.rows.clone()),
        ("lengths", lengths(&batch.layout)?),
        ("question", batch.questions.rows.clone()),
        ("question_lengths", lengths(&batch.questions.layout)?),
        ("title", batch.titles.rows.clone()),
        ("title_lengths", lengths(&batch.titles.layout)?),
        ("answers", lengths(&batch.answers)?),
        ("order", order),
        ("labels", batch.labels.clone()),
    ];
    checkpoint::save(path, &tensors.map(|(name, tensor)| (name.to_owned(), tensor)), &json!({}))
}

fn epoch(dataset: &Path) -> Result<serde_json::Value> {
    let (corpus, interviews, normalisation) = vocal(dataset)?;
    let network = network(&corpus, &normalisation)?;
    let single = Single {
        corpus: &corpus,
        modality: Modality::Vocal,
        normalisation: &normalisation,
        network: &network,
        positive: 1.0,
        labels: None,
    };
    let options = TrainOptions { epochs: 1, batch: BATCH, ..TrainOptions::default() };
    let start = Instant::now();
    train(&single, &interviews, &interviews[..BATCH.min(interviews.len())], &options, None, &Unseen)?;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(json!({"seconds": seconds, "interviews": interviews.len(), "peak_gb": peak.map(|kb| kb / 1024.0 / 1024.0)}))
}

fn own_parity(count: usize) -> Result<f64> {
    let header = Header {
        format: String::new(),
        name: "random".to_owned(),
        synthetic: true,
        grouped_by_position: false,
        schemas: SchemaEntries::of_the_pipeline(),
        made_by: serde_json::Value::Null,
    };
    let normalisations = Modality::ALL
        .into_iter()
        .map(|m| {
            let columns = schema(m).dim();
            (
                m,
                Normalisation {
                    mean: ndarray::Array1::from_elem(columns, 0.1),
                    std: ndarray::Array1::from_elem(columns, 1.3),
                },
            )
        })
        .collect();
    let mut networks = Networks::draw(&header, &normalisations, Sizes::uniform(UNITS), 1, &Device::Cpu)?;
    networks.fusion.redraw(DRAWN_WITHIN)?;
    parity(&networks, &header, &runtime()?, count, 1)
}

/// 160 answers of a mean length: what chose the fused operator.
fn recurrence() -> Result<serde_json::Value> {
    let layout = Ragged::new((0..5 * BATCH).map(|s| 147 + s * 120 / (5 * BATCH)));
    let mut parameters = Parameters::new(1, &Device::Cpu);
    let x = parameters.uniform("x", &[layout.rows(), 6 * UNITS], 1.0)?;
    let u = parameters.uniform("u", &[6 * UNITS, UNITS], 0.1)?;
    let c = parameters.uniform("c", &[6 * UNITS], 0.1)?;
    let time = |fused: bool| -> Result<f64> {
        let start = Instant::now();
        let states = if fused { gru(&x, &u, &c, &layout)? } else { composed::gru(&x, &u, &c, &layout)? };
        states.sqr()?.sum_all()?.backward()?;
        Ok(start.elapsed().as_secs_f64())
    };
    time(true)?;
    Ok(json!({"rows": layout.rows(), "fused_seconds": time(true)?, "composed_seconds": time(false)?}))
}

/// Six answers of a mean length in all three modalities.
fn inference(runs: usize) -> Result<serde_json::Value> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut matrix =
        |rows: usize, columns: usize| Array2::from_shape_simple_fn((rows, columns), || rng.random_range(-1.0_f32..1.0));
    let answers = (0..6)
        .map(|_| {
            let mut tracks = ByModality::default();
            for (modality, rows) in [(Modality::Verbal, 95), (Modality::Vocal, 207), (Modality::Visual, 207)] {
                let values = matrix(rows, schema(modality).dim());
                tracks.set(modality, Some(Rows { values, kept: (0..rows as u32).collect() }));
            }
            AnswerSample { question: matrix(10, 256), tracks, ..AnswerSample::default() }
        })
        .collect();
    let sample = Arc::new(Sample { index: 0, label: 0.0, title: matrix(3, 256), answers });
    let runtime = runtime()?;
    let known = Modality::ALL.map(schema).into_iter().chain([hirenet_core::context_hash256()]);
    let mut bundle = Bundle::from_bytes(&runtime, &untrained(UNTRAINED_SEED), &known.collect::<Vec<_>>())?;
    let tracks = tracks(&sample);
    let mut milliseconds = Vec::new();
    for run in 0..runs + 5 {
        let start = Instant::now();
        bundle.score(&tracks)?;
        // The first runs settle the runtime's memory.
        if run >= 5 {
            milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(json!({"milliseconds": milliseconds}))
}
