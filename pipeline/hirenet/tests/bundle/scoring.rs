//! Scores, attention and moments on random interviews.

use crate::support::toy::{Fault, Toy};
use crate::support::{interview, known};
use hirenet_core::{Code, Coded, Modality, Track, Word, context_hash256, window_count};
use hirenet_model::export::{UNTRAINED_SEED, untrained};
use hirenet_model::{AnswerTimes, Bundle, InterviewTracks};

/// The same rows through another layout of the batch: rounding only.
const TOLERANCE: f32 = 1e-5;
const PADDING_S: f64 = 0.5;

fn bundle() -> Bundle {
    Bundle::from_bytes(hirenet_tests::runtime(), &untrained(UNTRAINED_SEED), &known())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn without_row(track: &mut Track, row: usize) {
    track.valid[row] = false;
    track.values.row_mut(row).fill(0.0);
}

fn track(interview: &mut InterviewTracks, answer: usize, modality: Modality) -> &mut Track {
    let tracks = &mut interview.answers[answer].tracks;
    match modality {
        Modality::Verbal => tracks.verbal.as_mut(),
        Modality::Vocal => tracks.vocal.as_mut(),
        Modality::Visual => tracks.visual.as_mut(),
    }
    .unwrap_or_else(|| panic!("answer {answer} has no {modality} track"))
}

#[test]
fn rows_that_are_not_valid_are_taken_out_and_attention_goes_back_to_its_rows() {
    let mut bundle = bundle();
    let mut gaps = interview(1, 2, |_, _| 12);
    let removed = [0, 5, 6, 11];
    for row in removed {
        without_row(track(&mut gaps, 0, Modality::Vocal), row);
    }
    let mut short = gaps.clone();
    let vocal = track(&mut short, 0, Modality::Vocal);
    let (values, kept) = vocal.compact();
    *vocal = Track { schema: vocal.schema.clone(), valid: vec![true; kept.len()], values };
    let (with_gaps, compact) = (bundle.score(&gaps).unwrap(), bundle.score(&short).unwrap());
    assert!((with_gaps.logit - compact.logit).abs() < TOLERANCE);
    let rows = &with_gaps.attention[0].vocal.as_ref().unwrap().rows;
    assert_eq!(rows.len(), 12);
    assert!(removed.iter().all(|row| rows[*row] == 0.0));
    assert!((rows.iter().sum::<f32>() - 1.0).abs() < TOLERANCE);
    for (place, row) in kept.iter().enumerate() {
        assert!((rows[*row] - compact.attention[0].vocal.as_ref().unwrap().rows[place]).abs() < TOLERANCE);
    }
}

#[test]
fn a_failed_answer_keeps_its_place_and_an_absent_modality_has_no_score() {
    let mut bundle = bundle();
    let failed = interview(2, 3, |answer, modality| if answer == 1 || modality == Modality::Visual { 0 } else { 9 });
    let scored = bundle.score(&failed).unwrap();
    assert_eq!(scored.attention.len(), 3);
    assert!(scored.attention[1].iter().next().is_none());
    assert_eq!(scored.scores.visual, None);
    assert_eq!(scored.modality_weights[&Modality::Visual], 0.0);
    assert!((0.0..=1.0).contains(&scored.score));
    let mut blind = failed.clone();
    blind.answers[0].tracks.visual = Some(Track {
        schema: crate::support::schema(Modality::Visual),
        values: ndarray::Array2::zeros((4, 112)),
        valid: vec![false; 4],
    });
    let scored_blind = bundle.score(&blind).unwrap();
    assert_eq!(scored_blind.logit, scored.logit);
    assert_eq!(scored_blind.attention[0].visual.as_ref().unwrap().rows, [0.0; 4]);
    assert_eq!(bundle.score(&failed).unwrap(), scored, "the same input gives the same result");
}

#[test]
fn no_evidence_and_foreign_tracks_have_their_codes() {
    let mut bundle = bundle();
    let nothing = interview(3, 2, |_, _| 0);
    assert_eq!(bundle.score(&nothing).unwrap_err().code(), Code::NothingToScore);
    assert_eq!(bundle.score_range(&nothing).unwrap(), None);
    let none = InterviewTracks { answers: Vec::new(), ..nothing };
    assert_eq!(bundle.score(&none).unwrap_err().code(), Code::NothingToScore);
    let mut foreign = interview(3, 1, |_, _| 4);
    track(&mut foreign, 0, Modality::Verbal).schema = context_hash256();
    assert_eq!(bundle.score(&foreign).unwrap_err().code(), Code::Internal);
}

#[test]
fn a_breach_that_shows_only_while_running_never_becomes_a_score() {
    for fault in [Fault::Nan, Fault::Shape, Fault::Unmasked] {
        let mut toy = Toy::new(&Modality::ALL);
        toy.fault = fault;
        let mut bundle = Bundle::from_bytes(hirenet_tests::runtime(), &toy.bytes(), &known()).unwrap();
        assert_eq!(bundle.score(&interview(4, 2, |_, _| 5)).unwrap_err().code(), Code::BundleContract);
    }
}

#[test]
fn the_range_is_that_of_leaving_one_answer_out() {
    let mut bundle = bundle();
    let all = interview(5, 4, |answer, _| if answer == 2 { 0 } else { 15 });
    let scores: Vec<f64> = [0, 1, 2, 3]
        .map(|left_out| {
            let mut others = all.clone();
            others.answers.remove(left_out);
            bundle.score(&others).unwrap().score
        })
        .to_vec();
    let [low, high] = bundle.score_range(&all).unwrap().unwrap();
    assert_eq!(low, scores.iter().copied().fold(1.0, f64::min));
    assert_eq!(high, scores.iter().copied().fold(0.0, f64::max));
    assert!(low < high);
    assert_eq!(bundle.score_range(&interview(5, 1, |_, _| 15)).unwrap(), None);
    assert_eq!(bundle.score_range(&interview(5, 3, |answer, _| 5 * usize::from(answer == 1))).unwrap(), None);
}

fn words(count: usize, timed: bool) -> Vec<Word> {
    (0..count)
        .map(|i| Word {
            text: format!("w{i}"),
            start: timed.then_some(i as f64 * 0.5),
            end: timed.then_some(i as f64 * 0.5 + 0.4),
            confidence: None,
        })
        .collect()
}

#[test]
fn influence_is_what_scoring_without_the_rows_gives() {
    let mut bundle = bundle();
    let duration = 15.0;
    let interview =
        interview(6, 2, |_, modality| if modality == Modality::Verbal { 30 } else { window_count(duration) });
    let scored = bundle.score(&interview).unwrap();
    let words = words(30, true);
    let times = [AnswerTimes { duration_s: Some(duration), words: &words }; 2];
    let spans = bundle.spans(&interview, &scored, &times).unwrap();
    assert!(spans.windows(2).all(|pair| pair[0].weight >= pair[1].weight), "strongest first");
    let mut measured = 0;
    for span in &spans {
        let (start, end) = (span.start.unwrap(), span.end.unwrap());
        assert!(0.0 <= start && start < end && end <= duration);
        let answer = usize::from(span.answer == "a1");
        let attention = scored.attention[answer].get(span.modality).unwrap();
        let rows = match span.modality {
            Modality::Verbal => span.word_first.unwrap()..span.word_last.unwrap() + 1,
            // A clipped end does not tell the row.
            _ if start == 0.0 || end == duration => continue,
            _ => ((start + PADDING_S) / 0.25).round() as usize..((end - 2.0 * PADDING_S) / 0.25).round() as usize + 1,
        };
        let mass: f32 = attention.rows[rows.clone()].iter().sum();
        assert!((span.weight - attention.answer * mass).abs() < TOLERANCE);
        let mut without = interview.clone();
        rows.for_each(|row| without_row(track(&mut without, answer, span.modality), row));
        let expected = scored.logit - bundle.score(&without).unwrap().logit;
        assert!((span.influence - expected).abs() < TOLERANCE, "{} for {expected}", span.influence);
        measured += 1;
    }
    assert!(measured >= 6, "{measured} of {} moments were measured again", spans.len());
    for answer in ["a0", "a1"] {
        for modality in Modality::ALL {
            assert!(spans.iter().filter(|s| s.answer == answer && s.modality == modality).count() <= 3);
        }
    }
}

#[test]
fn words_without_times_give_moments_without_times() {
    let mut bundle = bundle();
    let interview = interview(7, 1, |_, modality| if modality == Modality::Verbal { 40 } else { 0 });
    let scored = bundle.score(&interview).unwrap();
    let words = words(40, false);
    let spans = bundle.spans(&interview, &scored, &[AnswerTimes { duration_s: Some(20.0), words: &words }]).unwrap();
    assert!(!spans.is_empty());
    for span in spans {
        assert_eq!((span.start, span.end), (None, None));
        let (first, last) = (span.word_first.unwrap(), span.word_last.unwrap());
        let text: Vec<&str> = words[first..=last].iter().map(|word| word.text.as_str()).collect();
        assert_eq!(span.text, text.join(" "));
    }
}

#[test]
fn even_attention_has_no_moment() {
    let toy = Toy::new(&Modality::ALL).bytes();
    let mut bundle = Bundle::from_bytes(hirenet_tests::runtime(), &toy, &known()).unwrap();
    let interview = interview(8, 2, |_, _| 50);
    let scored = bundle.score(&interview).unwrap();
    let times = [AnswerTimes::default(); 2];
    assert!(bundle.spans(&interview, &scored, &times).unwrap().is_empty());
    assert_eq!(bundle.spans(&interview, &scored, &times[..1]).unwrap_err().code(), Code::Internal);
}
