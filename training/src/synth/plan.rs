//! What happens in an interview, before any number is drawn for its tracks.
//!
//! With `e_im` = polarity (+1 or -1) of the asked moment of answer `i` in modality `m`, and `w_i` = 1 for answers to the
//! title's topic, 0.2 for the others, the evidence of a modality is `E_m = sum w_i e_im / sum w_i`. The label is drawn with
//! log-odds `gain E + base`, where `E` is the common evidence, or `gain sum_m E_m / sqrt 3 + base` over the modalities that
//! are there, where evidence is spread. But for answers that are missing in a modality, no network can know more than `E_m`:
//! the AUC of `E_m` on a split is its ceiling.

use hirenet_core::{ByModality, Modality};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use serde::{Deserialize, Serialize};

use super::language::{PLACES, QUESTIONS, RANKS, TOPICS};
use super::{Context, Evidence, SynthOptions};

/// Weight of an answer to another topic than the title's.
const OTHER_TOPIC: f64 = 0.2;
/// Log-odds of 45 % positive labels, a little stretched: evidence draws them apart.
const BASE: f64 = -0.28;
/// Spread of the logarithm of an answer's length.
const LENGTH_SPREAD: f64 = 0.35;
/// Share of answers that lack a modality the interview has.
const ANSWER_MISSING: f64 = 0.02;
/// Seconds from one word's start to the next.
pub(super) const WORD_S: f64 = 0.55;
/// Words of a planted phrase.
pub(super) const PHRASE: usize = 3;
/// Windows of a planted moment: they cover 1.5 s.
pub(super) const MOMENT_WINDOWS: usize = 5;

/// A job opening with its questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPosition {
    /// Title.
    pub title: String,
    /// The topic that counts most.
    pub topic: usize,
    /// Text and topic of each question.
    pub questions: Vec<(String, usize)>,
}

/// A planted moment, as `truth.jsonl` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Place of the answer in the interview.
    pub answer: usize,
    /// Where it was planted.
    pub modality: Modality,
    /// Its topic.
    pub topic: usize,
    /// +1 or -1.
    pub polarity: i8,
    /// Whether the label depends on it.
    pub asked: bool,
    /// First row and last row.
    pub rows: (usize, usize),
    /// Start and end in seconds.
    pub seconds: (f64, f64),
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedAnswer {
    /// Length in seconds.
    pub seconds: f64,
    /// Which modalities it has.
    pub has: ByModality<()>,
}

/// One interview.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Number of its position.
    pub position: usize,
    /// The answers.
    pub answers: Vec<PlannedAnswer>,
    /// All planted moments of the modalities that are there.
    pub moments: Vec<Moment>,
    /// Probability of a positive label.
    pub probability: f64,
    /// `E_m` of the modalities that are there.
    pub evidence: ByModality<f64>,
    /// The label.
    pub label: u8,
}

/// What is known of a made-up interview, a line of `truth.jsonl`. Never an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The interview's id.
    pub id: String,
    /// Probability of a positive label.
    pub probability: f64,
    /// `E_m`.
    pub evidence: ByModality<f64>,
    /// The planted moments.
    pub moments: Vec<Moment>,
}

/// The positions of a corpus.
#[must_use]
pub fn positions(options: &SynthOptions) -> Vec<PlannedPosition> {
    let mut rng = stream(options.seed, u64::MAX);
    (0..options.positions)
        .map(|number| {
            let topic = number % options.topics;
            let pick = |rng: &mut ChaCha8Rng, from: &[&'static str]| from.choose(rng).copied().unwrap_or_default();
            let title = [pick(&mut rng, &RANKS), TOPICS[topic].title, pick(&mut rng, &PLACES)].join(" ");
            let count = (options.questions + rng.random_range(0..=2)).saturating_sub(1).max(1);
            // The title's topic is asked for once or more; which question it is does not matter.
            let mut topics: Vec<usize> =
                (0..count).map(|i| if i == 0 { topic } else { rng.random_range(0..options.topics) }).collect();
            topics.shuffle(&mut rng);
            let questions = topics
                .into_iter()
                .map(|topic| (pick(&mut rng, &QUESTIONS).replace("{}", pick(&mut rng, &TOPICS[topic].asked)), topic))
                .collect();
            PlannedPosition { title: title.trim().to_owned(), topic, questions }
        })
        .collect()
}

/// Random numbers of one interview: the same whatever the others are.
pub(super) fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// Plans one interview.
pub fn plan(options: &SynthOptions, positions: &[PlannedPosition], rng: &mut ChaCha8Rng) -> Planned {
    let position = rng.random_range(0..positions.len());
    let asked = &positions[position];
    let lost = [0.0, options.missing, 2.0 * options.missing].map(|share| rng.random_bool(share.min(1.0)));
    let mut answers = Vec::new();
    let mut moments = Vec::new();
    let (mut sums, mut weights) = ([0.0; 3], [0.0; 3]);
    let (mut common, mut common_weight) = (0.0, 0.0);
    for (number, (_, topic)) in asked.questions.iter().enumerate() {
        let seconds = length(options, rng);
        let (counting, weight) = match options.context {
            Context::Full => (*topic, if *topic == asked.topic { 1.0 } else { OTHER_TOPIC }),
            Context::None => (0, 1.0),
        };
        let shared: i8 = polarity(rng);
        common += weight * f64::from(shared);
        common_weight += weight;
        let mut has = ByModality::default();
        for (place, modality) in Modality::ALL.into_iter().enumerate() {
            let drawn = planted(options, rng, number, modality, seconds, counting, shared);
            if lost[place] || rng.random_bool(ANSWER_MISSING) {
                continue;
            }
            has.set(modality, Some(()));
            let evidence = drawn.iter().find(|m| m.asked).map_or(0.0, |m| f64::from(m.polarity));
            sums[place] += weight * evidence;
            weights[place] += weight;
            moments.extend(drawn);
        }
        answers.push(PlannedAnswer { seconds, has });
    }
    let mut evidence = ByModality::default();
    for (place, modality) in Modality::ALL.into_iter().enumerate() {
        evidence.set(modality, (weights[place] > 0.0).then(|| sums[place] / weights[place]));
    }
    let drive = match options.evidence {
        Evidence::Same => common / common_weight,
        Evidence::Spread => evidence.iter().map(|(_, e)| e).sum::<f64>() / 3_f64.sqrt(),
    };
    let probability = 1.0 / (1.0 + (-(options.gain * drive + BASE)).exp());
    let label = u8::from(rng.random_bool(probability));
    Planned { position, answers, moments, probability, evidence, label }
}

fn polarity(rng: &mut ChaCha8Rng) -> i8 {
    if rng.random_bool(0.5) { 1 } else { -1 }
}

/// Log-normal around the mean, and long enough for all moments.
fn length(options: &SynthOptions, rng: &mut ChaCha8Rng) -> f64 {
    let shortest = options.topics as f64 * 2.2 + 0.5;
    let mu = options.seconds.ln() - LENGTH_SPREAD * LENGTH_SPREAD / 2.0;
    let drawn = LogNormal::new(mu, LENGTH_SPREAD).map_or(options.seconds, |d| d.sample(rng));
    drawn.clamp(shortest, 3.0 * options.seconds.max(shortest))
}

/// One moment of every topic, each in its own part of the answer, in random order.
fn planted(
    options: &SynthOptions,
    rng: &mut ChaCha8Rng,
    answer: usize,
    modality: Modality,
    seconds: f64,
    counting: usize,
    shared: i8,
) -> Vec<Moment> {
    let (rows, size) = match modality {
        Modality::Verbal => (word_count(seconds), PHRASE),
        Modality::Vocal | Modality::Visual => (hirenet_core::window_count(seconds), MOMENT_WINDOWS),
    };
    let mut topics: Vec<usize> = (0..options.topics).collect();
    topics.shuffle(rng);
    let part = rows / options.topics;
    topics
        .into_iter()
        .enumerate()
        .map(|(slot, topic)| {
            let first = slot * part + rng.random_range(0..=part.saturating_sub(size));
            let last = (first + size - 1).min(rows - 1);
            let own = polarity(rng);
            let asked = topic == counting;
            let polarity = if asked && options.evidence == Evidence::Same { shared } else { own };
            let seconds = match modality {
                Modality::Verbal => (word_seconds(first).0, word_seconds(last).1),
                Modality::Vocal | Modality::Visual => {
                    (hirenet_core::window_span(first).0, hirenet_core::window_span(last).1)
                }
            };
            Moment { answer, modality, topic, polarity, asked, rows: (first, last), seconds }
        })
        .collect()
}

/// Words of an answer.
pub(super) fn word_count(seconds: f64) -> usize {
    (seconds / WORD_S) as usize
}

/// Start and end of a word.
pub(super) fn word_seconds(word: usize) -> (f64, f64) {
    let start = word as f64 * WORD_S;
    (start, start + 0.8 * WORD_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(options: &SynthOptions, count: u64) -> Vec<Planned> {
        let positions = positions(options);
        (0..count).map(|i| plan(options, &positions, &mut stream(options.seed, i))).collect()
    }

    #[test]
    fn shape_is_the_papers() {
        let interviews = corpus(&SynthOptions::default(), 3000);
        let answers: Vec<&PlannedAnswer> = interviews.iter().flat_map(|i| &i.answers).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (count, sum) = values.fold((0.0, 0.0), |(n, s), v| (n + 1.0, s + v));
            sum / count
        };
        assert!((answers.len() as f64 / 3000.0 - 5.0).abs() < 0.1);
        assert!((mean(&mut answers.iter().map(|a| hirenet_core::window_count(a.seconds) as f64)) - 207.0).abs() < 4.0);
        assert!((mean(&mut answers.iter().map(|a| word_count(a.seconds) as f64)) - 95.0).abs() < 2.0);
        assert!((mean(&mut interviews.iter().map(|i| f64::from(i.label))) - 0.45).abs() < 0.02);
        let lacking = interviews.iter().filter(|i| i.evidence.visual.is_none()).count();
        assert!((250..=350).contains(&lacking), "{lacking}");
    }

    #[test]
    fn moments_do_not_overlap_and_one_an_answer_and_modality_counts() {
        let options = SynthOptions { seconds: 12.0, topics: 3, ..SynthOptions::default() };
        for interview in corpus(&options, 200) {
            for modality in Modality::ALL {
                for answer in 0..interview.answers.len() {
                    let of = |m: &&Moment| m.answer == answer && m.modality == modality;
                    let mut here: Vec<&Moment> = interview.moments.iter().filter(of).collect();
                    here.sort_by_key(|m| m.rows);
                    assert!(here.windows(2).all(|pair| pair[0].rows.1 < pair[1].rows.0), "{here:?}");
                    assert!(here.is_empty() || here.iter().filter(|m| m.asked).count() == 1);
                }
            }
        }
    }

    #[test]
    fn spread_evidence_differs_between_modalities_and_same_evidence_does_not() {
        let differs = |evidence| {
            let options = SynthOptions { evidence, missing: 0.0, ..SynthOptions::default() };
            corpus(&options, 100)
                .iter()
                .filter(|i| {
                    i.moments.iter().filter(|m| m.answer == 0 && m.asked).any(|m| {
                        m.polarity != i.moments.iter().find(|m| m.answer == 0 && m.asked).map_or(0, |m| m.polarity)
                    })
                })
                .count()
        };
        assert_eq!(differs(Evidence::Same), 0);
        assert!(differs(Evidence::Spread) > 50);
    }
}
