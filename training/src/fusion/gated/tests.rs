use candle_core::Device;
use hirenet_core::ByModality;
use ndarray::Array2;
use std::sync::Arc;

use super::super::AnswerSummary;
use super::*;

const WORDS: usize = 4;
const INPUT: usize = 6;

fn summary(there: &[Modality]) -> Summary {
    let words = Arc::new(Array2::from_elem((2, WORDS), 0.5));
    let (mut vectors, mut logits) = (ByModality::default(), ByModality::default());
    for modality in there {
        vectors.set(*modality, Some(vec![0.25; INPUT]));
        logits.set(*modality, Some(1.0));
    }
    let answers = vec![AnswerSummary { question: words.clone(), vectors: vectors.clone() }; 2];
    Summary { index: 0, label: 1, title: words, answers, interviews: vectors, logits }
}

fn with_task<T>(modality_dropout: f64, visible: &[Modality], look: impl FnOnce(&FusionTask<'_>) -> T) -> T {
    let p = Parameters::new(1, &Device::Cpu);
    let network = GatedFusion::new(p, &Modality::ALL, INPUT, WORDS, Sizes::uniform(3)).unwrap();
    let summaries = BTreeMap::new();
    let visible = visible.to_vec();
    look(&FusionTask { summaries: &summaries, network: &network, modality_dropout, visible, positive: 1.0 })
}

#[test]
fn training_leaves_modalities_out_as_often_as_it_is_told_and_never_all() {
    let whole = summary(&Modality::ALL);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    with_task(0.4, &Modality::ALL, |task| {
        let draws: Vec<Vec<Modality>> = (0..4000).map(|_| task.kept(&whole, &mut rng)).collect();
        assert!(draws.iter().all(|kept| !kept.is_empty()));
        // All three would be left out in 6.4 % of the draws: each of them stays in a third of those.
        let expected = 0.6 + 0.4_f64.powi(3) / 3.0;
        for modality in Modality::ALL {
            let share = draws.iter().filter(|kept| kept.contains(&modality)).count() as f64 / 4000.0;
            assert!((share - expected).abs() < 0.03, "{modality}: {share} for {expected}");
        }
    });
    with_task(0.0, &Modality::ALL, |task| assert_eq!(task.kept(&whole, &mut rng), Modality::ALL));
    let some = summary(&[Modality::Vocal, Modality::Visual]);
    with_task(0.9, &[Modality::Verbal, Modality::Vocal], |task| {
        assert!((0..50).all(|_| task.kept(&some, &mut rng) == [Modality::Vocal]), "what is there and may be seen");
    });
}

#[test]
fn any_modality_alone_is_judged_and_none_is_not() {
    with_task(0.0, &Modality::ALL, |task| {
        let whole = summary(&Modality::ALL);
        for kept in [vec![Modality::Verbal], vec![Modality::Vocal], vec![Modality::Visual], Modality::ALL.to_vec()] {
            let batch = task.lay_out([(&whole, kept.clone())].into_iter()).unwrap().unwrap();
            let scored = task.logits(&batch).unwrap();
            assert!(scored.len() == 1 && scored[0].logit.is_finite(), "{kept:?}");
        }
        assert!(task.lay_out([(&whole, Vec::new())].into_iter()).unwrap().is_none());
    });
}
