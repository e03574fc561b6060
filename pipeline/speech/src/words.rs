//! From the decoder's tokens to words: pieces joined, punctuation attached, everything that is not speech dropped.

/// One token of the decoder's text. Times in seconds since the start of the stretch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// Its bytes; a character may be spread over several tokens.
    pub(crate) bytes: Vec<u8>,
    /// Probability, 0..1.
    pub(crate) probability: f32,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

/// One recognised word. Times in seconds since the start of the stretch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spoken {
    pub(crate) text: String,
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// Mean probability of its tokens.
    pub(crate) confidence: f32,
    /// Which of the recogniser's segments (mostly sentences) it belongs to.
    pub(crate) segment: usize,
}

/// Languages that are written without blanks between words: there every character group that the decoder writes is a
/// word of its own (as in OpenAI's `split_tokens_on_unicode`).
const WITHOUT_BLANKS: [&str; 7] = ["zh", "ja", "th", "lo", "my", "yue", "km"];

/// Joins the tokens of one segment to words.
pub(crate) fn join(tokens: &[Token], segment: usize, language: &str) -> Vec<Spoken> {
    let by_blanks = !WITHOUT_BLANKS.contains(&language);
    let mut groups: Vec<Vec<&Token>> = Vec::new();
    let mut pending: Vec<u8> = Vec::new();
    for token in tokens {
        let whole_so_far = std::str::from_utf8(&pending).is_ok();
        let starts_word = whole_so_far && (token.bytes.starts_with(b" ") || !by_blanks);
        match groups.last_mut() {
            Some(group) if !starts_word => group.push(token),
            _ => groups.push(vec![token]),
        }
        if whole_so_far {
            pending.clear();
        }
        pending.extend(&token.bytes);
    }
    attach_punctuation(drop_marks(groups.iter().filter_map(|group| word(group, segment)).collect()))
}

fn word(tokens: &[&Token], segment: usize) -> Option<Spoken> {
    let bytes: Vec<u8> = tokens.iter().flat_map(|t| t.bytes.iter().copied()).collect();
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    let (first, last) = (tokens.first()?, tokens.last()?);
    if text.is_empty() {
        return None;
    }
    let confidence = tokens.iter().map(|t| t.probability).sum::<f32>() / tokens.len() as f32;
    Some(Spoken { text, start: first.start, end: last.end, confidence, segment })
}

/// Drops what the decoder writes in brackets, between asterisks or as notes: `[MUSIC]`, `(laughs)`, `*sighs*`, `♪`; and
/// control characters.
fn drop_marks(words: Vec<Spoken>) -> Vec<Spoken> {
    let mut depth = 0_usize;
    let mut starred = false;
    let mut kept = Vec::with_capacity(words.len());
    for mut spoken in words {
        let mut text = String::with_capacity(spoken.text.len());
        for c in spoken.text.chars() {
            match c {
                '[' | '(' | '{' | '【' | '（' => depth += 1,
                ']' | ')' | '}' | '】' | '）' => depth = depth.saturating_sub(1),
                '*' => starred = !starred,
                '♪' | '♫' | '♬' | '♩' | '\u{fffd}' => {}
                // The vocabulary has a token for each byte: no reader can show these, and a database takes no U+0000.
                '\n' | '\r' | '\t' => text.push(' '),
                control if control.is_control() => {}
                _ if depth == 0 && !starred => text.push(c),
                _ => {}
            }
        }
        let text = text.trim();
        if !text.is_empty() {
            text.clone_into(&mut spoken.text);
            kept.push(spoken);
        }
    }
    kept
}

/// A group without a letter or digit is no word: it belongs to the word before it, or to none.
fn attach_punctuation(groups: Vec<Spoken>) -> Vec<Spoken> {
    let mut words: Vec<Spoken> = Vec::with_capacity(groups.len());
    for group in groups {
        if group.text.chars().any(char::is_alphanumeric) {
            words.push(group);
        } else if let Some(before) = words.last_mut() {
            before.text.push_str(&group.text);
        }
    }
    words
}

/// A word as loops are recognised by: lower case, letters and digits alone.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Longest phrase that is looked at for loops, in words.
const LONGEST_PHRASE: usize = 40;

/// Collapses a phrase that is repeated `phrase_repeats` times or more in a row (a single word: `word_repeats`) to its
/// first occurrence. True where something was removed.
pub(crate) fn collapse_loops(words: &mut Vec<Spoken>, phrase_repeats: usize, word_repeats: usize) -> bool {
    let before = words.len();
    let mut keys: Vec<String> = words.iter().map(|w| bare(&w.text)).collect();
    // What is removed may bring the parts of another loop together.
    while let Some((at, length, repeats)) = find_loop(&keys, phrase_repeats, word_repeats) {
        let repeated = at + length..at + length * repeats;
        keys.drain(repeated.clone());
        words.drain(repeated);
    }
    words.len() < before
}

/// The first loop: where it begins, the length of its phrase, how often it is said.
fn find_loop(keys: &[String], phrase_repeats: usize, word_repeats: usize) -> Option<(usize, usize, usize)> {
    (0..keys.len()).find_map(|at| {
        let rest = &keys[at..];
        (1..=LONGEST_PHRASE.min(rest.len() / 2)).find_map(|length| {
            let phrase = &rest[..length];
            let repeats = rest.chunks_exact(length).take_while(|chunk| *chunk == phrase).count();
            let one_word = phrase.iter().all(|key| *key == phrase[0]);
            let enough =
                if one_word { repeats > 1 && repeats * length >= word_repeats } else { repeats >= phrase_repeats };
            enough.then_some((at, length, repeats))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(texts: &[&[u8]]) -> Vec<Token> {
        let token = |(k, bytes): (usize, &&[u8])| Token {
            bytes: bytes.to_vec(),
            probability: 0.5,
            start: k as f64,
            end: k as f64 + 1.0,
        };
        texts.iter().enumerate().map(token).collect()
    }

    fn texts(words: &[Spoken]) -> Vec<&str> {
        words.iter().map(|w| w.text.as_str()).collect()
    }

    fn said(text: &str) -> Vec<Spoken> {
        join(&tokens(&text.split_inclusive(' ').map(str::as_bytes).collect::<Vec<_>>()), 0, "ja")
    }

    #[test]
    fn pieces_are_joined_at_blanks() {
        let words = join(&tokens(&[b" It", b" wor", b"ks", b",", b" -", b" yes", b"."]), 0, "en");
        assert_eq!(texts(&words), ["It", "works,-", "yes."]);
        assert_eq!((words[1].start, words[1].end), (1.0, 4.0));
        assert_eq!(words[1].confidence, 0.5);
    }

    #[test]
    fn a_character_spread_over_tokens_is_one() {
        let words = join(&tokens(&[b" caf", b"\xc3", b"\xa9", b" ol\xc3", b"\xa9"]), 0, "fr");
        assert_eq!(texts(&words), ["café", "olé"]);
        let words = join(&tokens(&[b"\xe6\x97", b"\xa5", "本".as_bytes(), "。".as_bytes()]), 0, "ja");
        assert_eq!(texts(&words), ["日", "本。"]);
    }

    #[test]
    fn control_characters_are_no_text() {
        let words = join(&tokens(&[b" o\0ne", b"\x02", b" \x07", b" two\x1b", b" three\tfour"]), 0, "en");
        assert_eq!(texts(&words), ["one", "two", "three four"]);
    }

    #[test]
    fn marks_that_are_not_speech_are_dropped() {
        let words = join(
            &tokens(&[
                b" [",
                b"MUSIC",
                b" PLAYING",
                b"]",
                b" Hello",
                b" (laughs)",
                b" *sighs",
                b" deeply*",
                " ♪".as_bytes(),
                b" there",
                b" ...",
            ]),
            0,
            "en",
        );
        assert_eq!(texts(&words), ["Hello", "there..."]);
        assert!(join(&tokens(&[b" .", b" [BLANK_AUDIO]"]), 0, "en").is_empty());
    }

    #[test]
    fn a_phrase_looped_three_times_collapses_to_one() {
        let mut words = said("so thank you. Thank you, thank you thank you very much");
        assert!(collapse_loops(&mut words, 3, 5));
        assert_eq!(texts(&words), ["so", "thank", "you.", "very", "much"]);
    }

    #[test]
    fn twice_is_no_loop_and_a_word_may_be_stressed() {
        for text in ["I see I see what you mean", "it was very very very hard"] {
            let mut words = said(text);
            assert!(!collapse_loops(&mut words, 3, 5), "{text}");
        }
        let mut words = said("you you you you you you know");
        assert!(collapse_loops(&mut words, 3, 5));
        assert_eq!(texts(&words), ["you", "know"]);
    }

    proptest! {
        #[test]
        fn nothing_that_is_left_loops(picks in prop::collection::vec(0..3_usize, 0..60)) {
            let text = picks.iter().map(|k| ["a", "b", "c"][*k]).collect::<Vec<_>>().join(" ");
            let mut words = said(&text);
            let before = words.clone();
            prop_assert_eq!(collapse_loops(&mut words, 3, 3), words != before);
            prop_assert!(!collapse_loops(&mut words, 3, 3));
        }

        #[test]
        fn joining_never_panics_and_keeps_the_order(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..30)) {
            let words = join(&tokens(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>()), 0, "en");
            prop_assert!(words.windows(2).all(|pair| pair[0].start <= pair[1].start));
        }
    }
}
