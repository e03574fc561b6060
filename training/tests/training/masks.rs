//! What else lies in a batch never changes an interview's outputs.

use std::collections::BTreeMap;

use candle_core::Device;
use hirenet_core::Modality;
use hirenet_training::data::{Batch, Corpus, Limits, normalisation};
use hirenet_training::models::{Kind, Network, Sizes};
use hirenet_training::nn::{Dropout, Parameters, Ragged};

use crate::support::small;

/// Rounding only: the products of a batch are cut into other pieces.
const TOLERANCE: f32 = 1e-5;

/// Row weights of each answer (interview and answer), and of each interview its answers' weights and its logit.
type Outputs = BTreeMap<(usize, Option<usize>), Vec<f32>>;

fn said(network: &dyn Network, batch: &Batch) -> Outputs {
    let output = network.forward(batch, &mut Dropout::off()).unwrap();
    let logits: Vec<f32> = output.logits.to_vec1().unwrap();
    // A network without attention gives none.
    let part = |of: &[f32], layout: &Ragged, n: usize| {
        of.get(layout.start(n)..layout.start(n) + layout.len(n)).unwrap_or_default().to_vec()
    };
    let answers = batch.origin.iter().enumerate().map(|(sequence, (interview, answer))| {
        ((batch.samples[*interview].index, Some(*answer)), part(&output.alpha, &batch.layout, sequence))
    });
    let interviews = batch.samples.iter().enumerate().map(|(n, sample)| {
        let weights = part(&output.beta, &batch.answers, n);
        ((sample.index, None), weights.into_iter().chain([logits[n]]).collect())
    });
    answers.chain(interviews).collect()
}

#[test]
fn an_interview_alone_and_among_others_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), |options| {
        options.interviews = 40;
        options.missing = 0.2;
    });
    let corpus = Corpus::open(dir.path(), &Modality::ALL, Limits::default()).unwrap();
    let everyone: Vec<usize> = (0..40).collect();
    let normalisations = normalisation(&corpus, &everyone).unwrap();
    for kind in [Kind::Hirenet, Kind::HnSatt, Kind::HnAvg, Kind::Bigru] {
        for (modality, normalisation) in &normalisations {
            let network =
                kind.build(Parameters::new(3, &Device::Cpu), normalisation.mean.len(), 256, Sizes::uniform(6)).unwrap();
            let batch = |interviews: &[usize]| {
                let samples = interviews.iter().map(|index| corpus.sample(*index).unwrap());
                Batch::new(samples, *modality, normalisation, &Device::Cpu).unwrap()
            };
            let together = said(&*network, &batch(&everyone).unwrap());
            let alone = everyone.iter().filter_map(|index| batch(&[*index])).flat_map(|one| said(&*network, &one));
            let alone: Outputs = alone.collect();
            assert_eq!(together.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>());
            for (key, all) in &together {
                let ones = &alone[key];
                assert_eq!(all.len(), ones.len());
                let off = all.iter().zip(ones).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(off < TOLERANCE, "{kind:?} {modality} {key:?}: {off}");
            }
        }
    }
}

#[test]
fn question_and_title_reach_hirenet_and_none_of_its_ablations() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), |options| options.interviews = 4);
    let corpus = Corpus::open(dir.path(), &[Modality::Vocal], Limits::default()).unwrap();
    let normalisation = &normalisation(&corpus, &[0, 1, 2, 3]).unwrap()[&Modality::Vocal];
    for kind in [Kind::Hirenet, Kind::HnSatt, Kind::HnAvg, Kind::Bigru] {
        let network = kind.build(Parameters::new(3, &Device::Cpu), 51, 256, Sizes::uniform(6)).unwrap();
        let logit = |question: f32, title: f32| -> f32 {
            let mut sample = (*corpus.sample(0).unwrap()).clone();
            sample.title *= title;
            sample.answers.iter_mut().for_each(|answer| answer.question *= question);
            let batch = Batch::new([sample.into()], Modality::Vocal, normalisation, &Device::Cpu).unwrap().unwrap();
            network.forward(&batch, &mut Dropout::off()).unwrap().logits.to_vec1().unwrap()[0]
        };
        let moves = [logit(-1.0, 1.0), logit(1.0, -1.0)].map(|other| other != logit(1.0, 1.0));
        assert_eq!(moves, [kind == Kind::Hirenet; 2], "{kind:?}");
    }
}
