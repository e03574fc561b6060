use super::*;
use crate::shortened::Shortened;
use proptest::prelude::*;

/// Stretches of a recording that is speech (1) or not (0) for so many seconds each.
fn stretches(parts: &[(f32, f64)]) -> Vec<Stretch> {
    let settings = SpeechSettings::default();
    let probabilities: Vec<f32> = parts.iter().flat_map(|(p, s)| vec![*p; windows(*s)]).collect();
    let mut finder = StretchFinder::new(&settings);
    let mut found: Vec<Stretch> = probabilities.iter().filter_map(|p| finder.push(*p)).collect();
    found.extend(finder.finish(seconds(probabilities.len())));
    found
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 2.0 * ACTIVITY_HOP_S
}

#[test]
fn near_runs_are_merged_and_padded_and_far_ones_are_not() {
    let found = stretches(&[(0.0, 1.0), (1.0, 2.0), (0.0, 0.4), (1.0, 1.0), (0.0, 2.0), (1.0, 1.0), (0.0, 1.0)]);
    assert_eq!(found.len(), 2);
    assert!(near(found[0].start, 0.8) && near(found[0].end, 4.6), "{found:?}");
    assert_eq!(found[0].speech.len(), 2);
    assert!(near(found[1].start, 6.2) && near(found[1].end, 7.6), "{found:?}");
}

#[test]
fn a_click_is_no_speech_and_speech_lasts_to_the_end() {
    assert!(stretches(&[(0.0, 1.0), (1.0, 0.1), (0.0, 1.0)]).is_empty());
    let found = stretches(&[(0.0, 1.0), (1.0, 1.0)]);
    assert!(near(found[0].end, 2.0), "{found:?}");
}

#[test]
fn long_speech_is_cut_at_its_last_good_pause() {
    let found = stretches(&[(1.0, 10.0), (0.0, 0.45), (1.0, 9.0), (0.0, 0.4), (1.0, 5.0), (0.0, 0.16), (1.0, 9.0)]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(near(found[0].end, 19.65), "{found:?}");
    assert!(near(found[1].start, 19.65), "{found:?}");
    let found = stretches(&[(1.0, 10.0), (0.0, 0.45), (1.0, 9.0), (0.0, 0.4), (1.0, 5.0), (0.0, 0.3), (1.0, 9.0)]);
    assert!(found.len() == 2 && near(found[0].end, 25.0), "{found:?}");
}

#[test]
fn pauses_that_are_not_recognised_make_no_stretch_longer() {
    let found = stretches(&[(1.0, 9.0), (0.0, 1.5), (1.0, 9.0), (0.0, 1.5), (1.0, 9.0), (0.0, 0.1)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(near(found[0].end, 30.1), "{found:?}");
}

#[test]
fn speech_without_a_pause_is_cut_where_speech_is_least_likely() {
    let found = stretches(&[(0.9, 20.0), (0.6, 0.1), (0.9, 15.0)]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!((20.0..20.2).contains(&found[0].end), "{found:?}");
    assert_eq!(found[0].end, found[1].start);
}

proptest! {
    #[test]
    fn stretches_are_in_order_apart_and_short_enough(
        parts in prop::collection::vec((0.0..1.0_f32, 0.03..12.0_f64), 1..25)
    ) {
        let settings = SpeechSettings::default();
        let duration: f64 = parts.iter().map(|(_, s)| seconds(windows(*s))).sum();
        let mut last = 0.0;
        for stretch in stretches(&parts) {
            prop_assert!(stretch.start >= last && stretch.start < stretch.end && stretch.end <= duration + 1e-9);
            let heard = Shortened::new(&stretch, settings.longest_pause_s).stretch.end;
            prop_assert!(heard <= settings.max_stretch_s + 1e-9, "{heard}");
            for (start, end) in &stretch.speech {
                prop_assert!(stretch.start <= *start && start <= end && *end <= stretch.end + 1e-9);
            }
            last = stretch.end;
        }
    }
}
