//! `hirenet-train explain`

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use candle_core::Device;
use hirenet_core::Modality;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{print, tell};
use crate::bundle::network_seed;
use crate::cli::Explain;
use crate::data::split::split;
use crate::data::{Corpus, Record, Split};
use crate::explain::{
    Influence, MomentsHit, QuestionWeight, SlicesTest, Unevenness, WordWeight, attended, influence, moments_hit,
    question_weights, slices_test, unevenness, word_weights,
};
use crate::files::{make_folder, write_json, write_whole};
use crate::fit::config::Config;
use crate::fit::{Settings, Single, Unseen, best_epoch, load_run, positive_weight, singles, train};
use crate::models::HireNet;
use crate::nn::Parameters;
use crate::synth::{TRUTH_FILE, Truth, read_truth};
use crate::{Result, TrainError};

/// Words and questions that are printed.
const TOP: usize = 20;

/// Everything that is said of one network.
#[derive(Serialize)]
struct Explanation {
    attention: Unevenness,
    influence: Influence,
    slices: Option<SlicesTest>,
    moments: Option<MomentsHit>,
    words: Vec<WordWeight>,
    questions: Vec<QuestionWeight>,
    control: Option<Control>,
    /// Whether attention goes with influence, and more than the control's; `None` without a control.
    influential: Option<bool>,
}

/// The same network trained on shuffled labels.
#[derive(Serialize)]
struct Control {
    attention: Unevenness,
    influence: Influence,
    /// The epoch whose weights it has; 0 where shuffled labels made nothing better than the weights of the start.
    epoch: usize,
}

pub(super) fn run(arguments: &Explain, quiet: bool) -> Result<()> {
    // As much of each answer is read as the run has read.
    let config = Config::of_run(&arguments.run)?;
    let corpus = Corpus::open(&arguments.dataset, &config.settings.modalities, config.read.into())?;
    let (settings, networks) = load_run(&arguments.run, &corpus, &Device::Cpu)?;
    let splits = split(&corpus, settings.split, settings.train.seed)?;
    let looked_at: Vec<usize> = splits.of(Split::Test).iter().copied().take(arguments.interviews).collect();
    let truths = if corpus.header().synthetic { Some(truths_of(&corpus)?) } else { None };
    let mut found = BTreeMap::new();
    // The control is trained as the run was, with its weight of the classes.
    let positive = positive_weight(&corpus, splits.of(Split::Train), settings.train.balance);
    for single in singles(&corpus, &networks, positive) {
        let seen = attended(&single, &looked_at)?;
        let moments = truths.as_ref().map(|t| moments_hit(&seen, t, single.modality, settings.train.seed));
        let words = if single.modality == Modality::Verbal { word_weights(&seen, &corpus)? } else { Vec::new() };
        let control =
            if arguments.no_control { None } else { Some(control(&single, &settings, &splits, &looked_at, quiet)?) };
        let influence = influence(&single, &seen, settings.train.seed)?;
        let explanation = Explanation {
            attention: unevenness(&seen),
            influential: control.as_ref().and_then(|control| influence.exceeds(&control.influence)),
            influence,
            slices: slices_test(&single, &seen)?,
            moments,
            words,
            questions: question_weights(&seen, &corpus),
            control,
        };
        found.insert(single.modality, explanation);
    }
    let out = arguments.out.clone().unwrap_or_else(|| arguments.run.clone());
    make_folder(&out)?;
    let text = markdown(&found);
    write_json(&out.join("explanation.json"), &found)?;
    write_whole(&out.join("explanation.md"), text.as_bytes())?;
    print(&text)
}

/// What is known of each interview of a made-up corpus, by its id.
fn truths_of(corpus: &Corpus) -> Result<Vec<Truth>> {
    let mut known: HashMap<String, Truth> =
        read_truth(corpus.folder())?.into_iter().map(|truth| (truth.id.clone(), truth)).collect();
    let file = corpus.folder().join(TRUTH_FILE);
    let of = |record: &Record| {
        let missing = || TrainError::dataset(&file, format!("it says nothing of the interview `{}`", record.id));
        known.remove(&record.id).ok_or_else(missing)
    };
    corpus.records().iter().map(of).collect()
}

/// Trains the same network on shuffled labels and looks at the same interviews.
fn control(
    single: &Single<'_>,
    settings: &Settings,
    splits: &crate::data::split::Splits,
    looked_at: &[usize],
    quiet: bool,
) -> Result<Control> {
    let mut labels: Vec<u8> = single.corpus.records().iter().map(|record| record.label).collect();
    labels.shuffle(&mut ChaCha8Rng::seed_from_u64(settings.train.seed));
    let p = Parameters::new(network_seed(settings.train.seed, single.modality), single.device());
    let words = single.corpus.header().context_width();
    let network = HireNet::new(p, single.normalisation.mean.len(), words, settings.sizes)?;
    let shuffled = Single { network: &network, labels: Some(&labels), ..*single };
    let options = &settings.train;
    if !quiet {
        tell(&format!("training the control of {} on shuffled labels", single.modality));
    }
    let history = train(&shuffled, splits.of(Split::Train), splits.of(Split::Validation), options, None, &Unseen)?;
    let seen = attended(&shuffled, looked_at)?;
    let influence = influence(&shuffled, &seen, settings.train.seed)?;
    Ok(Control { attention: unevenness(&seen), influence, epoch: best_epoch(&history) })
}

fn markdown(found: &BTreeMap<Modality, Explanation>) -> String {
    let mut out = String::new();
    for (modality, e) in found {
        let _ = writeln!(out, "## {modality}\n");
        attention(&mut out, e);
        match &e.slices {
            Some(s) => {
                let _ = writeln!(
                    out,
                    "- slices test over {} answers of {} interviews: AUC {:.3} in attention slices; {:.3} in random ones (t = \
                     {:.1}, p = {:.1e}), {:.3} in position-matched ones (t = {:.1}, p = {:.1e})",
                    s.answers,
                    s.interviews,
                    s.attention_auc,
                    s.random.auc,
                    s.random.t,
                    s.random.p,
                    s.position_matched.auc,
                    s.position_matched.t,
                    s.position_matched.p
                );
            }
            None => {
                let _ = writeln!(out, "- slices test: too few answers with a moment that stands out");
            }
        }
        if let Some(m) = &e.moments {
            let _ = writeln!(
                out,
                "- planted moments: {:.1} % of {} positive-evidence answers hit within 0.5 s; {:.1} % by random slices",
                100.0 * m.hit,
                m.answers,
                100.0 * m.random
            );
        }
        let words: Vec<String> = e.words.iter().take(TOP).map(|w| format!("{} {:.1}", w.word, w.importance)).collect();
        if !words.is_empty() {
            let _ = writeln!(out, "- words by importance: {}", words.join(", "));
        }
        for q in e.questions.iter().take(TOP) {
            let _ = writeln!(out, "- question weight {:.2} over {} answers: {}", q.weight, q.count, q.question);
        }
        out.push('\n');
    }
    out
}

/// Attention and its influence beside the control's.
fn attention(out: &mut String, e: &Explanation) {
    let _ = writeln!(
        out,
        "- {} answers, {:.0} % with a moment that stands out, peak {:.1} times uniform",
        e.attention.answers,
        100.0 * e.attention.with_a_moment,
        e.attention.mean_peak
    );
    let verdict = match e.influential {
        Some(true) => "attention goes with influence, more than on shuffled labels",
        Some(false) => "attention is NOT influential",
        None if e.control.is_some() => "too few moments stand out for a verdict on attention",
        None => "no verdict on attention without its control on shuffled labels",
    };
    let [low, high] = e.influence.interval;
    let _ = writeln!(
        out,
        "- {verdict}: rank correlation with |influence| {:.2} (95 % {low:.2} to {high:.2}) over {} slices; mean |influence| \
         {:.3} of attention slices, {:.3} of random ones",
        e.influence.rank_correlation, e.influence.slices, e.influence.attention, e.influence.random
    );
    if let Some(Control { attention, influence, epoch }) = &e.control {
        let _ = writeln!(
            out,
            "- control on shuffled labels ({}): {:.0} % with a moment, peak {:.1}, rank correlation {} over {} slices",
            if *epoch == 0 { "no epoch was better than its start".to_owned() } else { format!("epoch {epoch}") },
            100.0 * attention.with_a_moment,
            attention.mean_peak,
            if influence.slices > 0 { format!("{:.2}", influence.rank_correlation) } else { "-".to_owned() },
            influence.slices
        );
    }
}
