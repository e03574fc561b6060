//! Refuses what speaks of emotion, mood or personality: inferring emotions from people in recruitment is prohibited in
//! the European Union (AI Act, Article 5(1)(f)).
//!
//! The rule is about words, not about meaning: a sentence such as "infers no emotion" is refused too, because a program
//! cannot tell a denial from a claim. An exporter leaves such sentences out.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Beginnings of words that are refused anywhere, in English and some neighbours; without accents.
const STEMS: &[&str] = &[
    "emotion",
    "emotiv",
    "emoc",
    "emoz",
    "mood",
    "personalit",
    "personnalit",
    "personalidad",
    "personlichkeit",
    "temperament",
    "affectiv",
    "affekt",
    "sentiment",
    "valence",
    "arousal",
    "neurotic",
    "extraver",
    "extrover",
    "introver",
    "agreeabl",
    "conscientious",
    "psychometric",
    "humeur",
    "umore",
    "stimmung",
    "gefuhl",
];
/// Whole words that are refused anywhere.
const WORDS: &[&str] = &["anger", "anxiety", "disgust", "feelings", "happiness", "nervousness", "sadness"];
/// Words that begin like a stem and mean something else.
const HARMLESS: &[&str] = &["moodle"];
/// Whole words that are refused as a name or a label, but may stand in a sentence ("may affect results").
const LABELS: &[&str] = &[
    "affect",
    "angry",
    "anxious",
    "bigfive",
    "calm",
    "contempt",
    "disgusted",
    "fear",
    "fearful",
    "feeling",
    "happy",
    "joy",
    "joyful",
    "nervous",
    "openness",
    "sad",
    "stress",
    "stressed",
    "surprise",
    "surprised",
];
/// Stems long enough to be found inside a run-together name such as `logitemotion`.
const INSIDE: &[&str] = &["emotion", "personalit"];

/// The first word of a name (an output, a metadata key) that is refused.
pub(crate) fn in_name(name: &str) -> Option<String> {
    let words = words(name);
    let joined: String = words.concat();
    find_word(&words)
        .or_else(|| words.iter().find(|word| LABELS.contains(&word.as_str())).cloned())
        .or_else(|| INSIDE.iter().find(|stem| joined.replace("demotion", "").contains(**stem)).map(|s| (*s).to_owned()))
}

/// The first word of a text that is refused. A text of at most two words is a label.
#[must_use]
pub fn in_text(text: &str) -> Option<String> {
    let words = words(text);
    if words.len() <= 2 { in_name(text) } else { find_word(&words) }
}

/// The first refused word of a JSON value and the path to it.
pub(crate) fn in_json(value: &Value, path: &str) -> Option<(String, String)> {
    match value {
        Value::String(text) => in_text(text).map(|word| (path.to_owned(), word)),
        Value::Array(items) => items.iter().enumerate().find_map(|(i, item)| in_json(item, &format!("{path}[{i}]"))),
        Value::Object(fields) => fields.iter().find_map(|(key, item)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            in_name(key).map(|word| (path.clone(), word)).or_else(|| in_json(item, &path))
        }),
        _ => None,
    }
}

fn find_word(words: &[String]) -> Option<String> {
    words
        .iter()
        .find(|word| {
            let stem = STEMS.iter().any(|stem| word.starts_with(stem)) && !HARMLESS.contains(&word.as_str());
            stem || WORDS.contains(&word.as_str())
        })
        .cloned()
}

/// Words in lower case without accents; `camelCase` and `snake_case` are split.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        if !c.is_alphabetic() || (after_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        after_lower = c.is_lowercase();
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outputs_that_speak_of_it_are_found() {
        for name in [
            "emotion",
            "logit_emotion",
            "logitEmotion",
            "EMOTIONS",
            "emotional_state",
            "logitemotion",
            "mood",
            "mood_score",
            "personality",
            "personalityTraits",
            "bigPersonality",
            "valence",
            "stress_level",
            "happy",
            "joy_logit",
            "extraversion",
            "sentiment",
            "émotion",
            "Stimmung",
            "affect",
        ] {
            assert!(in_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_contracts_own_names_and_plain_words_pass() {
        for name in [
            "logit",
            "verbal_attention",
            "modality_attention",
            "logit_visual",
            "mouthSmileLeft",
            "browInnerUp",
            "threshold",
            "promotion",
            "demotion",
            "motion",
            "smooth",
            "moodle",
            "personal",
            "personalised",
            "trained_on",
        ] {
            assert_eq!(in_name(name), None, "{name}");
        }
        for text in ["Noise may affect the score.", "A stress test of the loader", "Recruiters' decisions in sales"] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }

    #[test]
    fn metadata_is_searched_to_its_leaves() {
        assert_eq!(
            in_json(&json!({"a": [{"b": "reads the mood"}]}), ""),
            Some(("a[0].b".to_owned(), "mood".to_owned()))
        );
        assert_eq!(in_json(&json!({"x": {"emotion": 1}}), ""), Some(("x.emotion".to_owned(), "emotion".to_owned())));
        assert_eq!(
            in_json(&json!({"labels": ["anger", "joy"]}), ""),
            Some(("labels[0]".to_owned(), "anger".to_owned()))
        );
        assert_eq!(in_json(&json!({"use": "It infers no emotion at all."}), "").unwrap().1, "emotion");
        assert_eq!(in_text("Predicts the sadness of a voice").as_deref(), Some("sadness"));
        assert_eq!(in_json(&json!({"use": "ranking by recruiters' past decisions", "n": 3}), ""), None);
    }
}
