//! What `explain` says of attention that is known: here it is put where the evidence was planted, or beside it.

use candle_core::Device;
use hirenet_core::{Modality, window_span};
use hirenet_model::Run;
use hirenet_training::data::{Corpus, Limits, normalisation};
use hirenet_training::explain::{Attended, SlicesTest, moments_hit, question_weights, slices_test, word_weights};
use hirenet_training::fit::Single;
use hirenet_training::models::{Kind, Sizes};
use hirenet_training::nn::Parameters;
use hirenet_training::synth::{Truth, read_truth};
use tempfile::TempDir;

use crate::support::small;

/// A corpus, and what was planted in it.
struct Planted {
    corpus: Corpus,
    truths: Vec<Truth>,
    _folder: TempDir,
}

impl Planted {
    fn new(interviews: usize) -> Planted {
        let folder = TempDir::new().unwrap();
        small(folder.path(), |options| options.interviews = interviews);
        let corpus = Corpus::open(folder.path(), &[Modality::Verbal, Modality::Vocal], Limits::default()).unwrap();
        let truths = read_truth(folder.path()).unwrap();
        assert!(corpus.records().iter().zip(&truths).all(|(record, truth)| record.id == truth.id));
        Planted { corpus, truths, _folder: folder }
    }

    /// One slice an answer, at the moment that was asked for or at another one.
    fn attended(&self, asked: bool) -> Vec<Attended> {
        let mut all = Vec::new();
        for (interview, truth) in self.truths.iter().enumerate() {
            let sample = self.corpus.sample(interview).unwrap();
            for moment in truth.moments.iter().filter(|m| m.modality == Modality::Vocal && m.asked == asked) {
                let rows = sample.answers[moment.answer].tracks.vocal.as_ref().unwrap();
                let place = |row: usize| rows.kept.iter().position(|kept| *kept as usize >= row).unwrap();
                let (first, last) = (place(moment.rows.0), place(moment.rows.1));
                all.push(Attended {
                    interview,
                    answer: moment.answer,
                    weights: vec![1.0 / rows.kept.len() as f32; rows.kept.len()],
                    answer_weight: 0.5,
                    answers: 2,
                    slices: vec![Run { first, last, mass: 1.0 }],
                    seconds: rows.kept.iter().map(|row| Some(window_span(*row as usize))).collect(),
                });
            }
        }
        all
    }

    fn slices_test(&self, attended: &[Attended]) -> SlicesTest {
        let everyone: Vec<usize> = (0..self.truths.len()).collect();
        let normalisation = &normalisation(&self.corpus, &everyone).unwrap()[&Modality::Vocal];
        let p = Parameters::new(1, &Device::Cpu);
        let network = Kind::Hirenet.build(p, normalisation.mean.len(), 256, Sizes::uniform(4)).unwrap();
        let corpus = &self.corpus;
        let (modality, network) = (Modality::Vocal, &*network);
        let single = Single { corpus, modality, normalisation, network, positive: 1.0, labels: None };
        slices_test(&single, attended).unwrap().unwrap()
    }
}

#[test]
fn slices_at_the_evidence_say_more_than_random_ones_and_slices_beside_it_do_not() {
    let planted = Planted::new(600);
    let found = planted.slices_test(&planted.attended(true));
    for control in [found.random, found.position_matched] {
        assert!(found.attention_auc > control.auc + 0.1 && control.gain > 0.0, "{found:?}");
        assert!(control.t > 3.0 && control.p < 0.01, "{found:?}");
    }
    let beside = planted.slices_test(&planted.attended(false));
    assert!(beside.attention_auc < found.attention_auc - 0.1, "{beside:?}");
    for control in [beside.random, beside.position_matched] {
        assert!(control.t < 2.0, "{beside:?}");
    }
}

#[test]
fn a_span_on_its_moment_is_a_hit_and_one_beside_it_is_none() {
    let planted = Planted::new(120);
    let hit = |attended: &[Attended]| moments_hit(attended, &planted.truths, Modality::Vocal, 1);
    let (on, beside) = (hit(&planted.attended(true)), hit(&planted.attended(false)));
    let positive = |m: &&hirenet_training::synth::Moment| m.modality == Modality::Vocal && m.asked && m.polarity > 0;
    let answers = planted.truths.iter().flat_map(|truth| truth.moments.iter().filter(positive)).count();
    assert_eq!((on.answers, on.hit), (answers, 1.0));
    assert!(beside.hit < 0.3 && on.random > 0.05 && on.random < 0.9, "{beside:?} {on:?}");
    let mut none = planted.attended(true);
    for a in &mut none {
        a.slices.clear();
    }
    assert_eq!(hit(&none).hit, 0.0);
}

#[test]
fn even_attention_weighs_1_and_uneven_attention_as_the_paper_has_it() {
    let planted = Planted::new(60);
    let sample = |interview: usize| planted.corpus.sample(interview).unwrap();
    // Every word as any other, and every answer as any other.
    let mut attended = Vec::new();
    for interview in 0..60 {
        let there: Vec<usize> = (0..sample(interview).answers.len())
            .filter(|answer| sample(interview).answers[*answer].tracks.verbal.is_some())
            .collect();
        for answer in &there {
            let rows = sample(interview).answers[*answer].tracks.verbal.as_ref().unwrap().kept.len();
            attended.push(Attended {
                interview,
                answer: *answer,
                weights: vec![1.0 / rows as f32; rows],
                answer_weight: 1.0 / there.len() as f32,
                answers: there.len(),
                slices: Vec::new(),
                seconds: vec![None; rows],
            });
        }
    }
    let words = word_weights(&attended, &planted.corpus).unwrap();
    assert!(!words.is_empty() && words.iter().all(|word| (word.importance - 1.0).abs() < 1e-5), "{words:?}");
    let questions = question_weights(&attended, &planted.corpus);
    assert!(!questions.is_empty() && questions.iter().all(|q| (q.weight - 1.0).abs() < 1e-5), "{questions:?}");
    // An answer of twice the weight: p_q is 2, and words of an answer of twice the attention weigh sqrt(2) x 2.
    for a in &mut attended {
        a.answer_weight *= 2.0;
        a.weights.iter_mut().for_each(|weight| *weight *= 2.0);
    }
    let words = word_weights(&attended, &planted.corpus).unwrap();
    assert!(words.iter().all(|word| (word.importance - 2.0_f64.sqrt() * 2.0).abs() < 1e-5), "{words:?}");
    assert!(question_weights(&attended, &planted.corpus).iter().all(|q| (q.weight - 2.0).abs() < 1e-5));
}
