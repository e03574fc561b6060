//! Word vectors without a download: hashed character n-grams, after the subword features of Bojanowski et al.,
//! "Enriching Word Vectors with Subword Information" (TACL 2017), put into a fixed number of columns by signed feature
//! hashing (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009).
//!
//! The definition, whole, so that it can be written again elsewhere:
//!
//! 1. The word is normalised to Unicode NFKC, then to full Unicode lower case.
//! 2. From its start every character is stripped that is not alphanumeric (Unicode properties Alphabetic or Numeric), from
//!    its end every one that is neither alphanumeric nor a combining mark (general category M). Nothing left: no vector.
//! 3. It is put between the marks `<` and `>`.
//! 4. Its features are all runs of 3, 4 and 5 characters (Unicode scalar values), each as often as it occurs, and the
//!    marked word itself where that is longer than 5.
//! 5. Each feature's UTF-8 bytes are hashed by 64-bit FNV-1a, then mixed by MurmurHash3's 64-bit finaliser (FNV's own
//!    bits are too weak: the last byte hardly reaches the high ones, and the low ones depend on low ones only). Bits 0 to 7
//!    of the hash are the column; bit 8 set subtracts 1 there, else 1 is added.
//! 6. The vector is divided by its Euclidean norm. Should all features cancel out, the marked word alone is used.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Number of columns of a hashed word vector.
pub const HASH_DIM: usize = 256;

const NGRAM_SIZES: std::ops::RangeInclusive<usize> = 3..=5;

/// The unit vector of one word, or `None` where nothing is left of it. See the source file's head for the definition.
#[must_use]
pub fn hash_word(word: &str) -> Option<[f32; HASH_DIM]> {
    let bare = normalise(word)?;
    let marked: Vec<char> = std::iter::once('<').chain(bare.chars()).chain(std::iter::once('>')).collect();
    let mut counts = [0_i32; HASH_DIM];
    for size in NGRAM_SIZES {
        for ngram in marked.windows(size) {
            add_feature(&mut counts, ngram);
        }
    }
    if marked.len() > *NGRAM_SIZES.end() {
        add_feature(&mut counts, &marked);
    }
    if counts.iter().all(|count| *count == 0) {
        add_feature(&mut counts, &marked);
    }
    let norm = counts.iter().map(|count| f64::from(count * count)).sum::<f64>().sqrt();
    Some(counts.map(|count| (f64::from(count) / norm) as f32))
}

/// Steps 1 and 2.
fn normalise(word: &str) -> Option<String> {
    let lower = word.nfkc().collect::<String>().to_lowercase();
    let bare = lower
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .trim_end_matches(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// Step 5 for one feature.
fn add_feature(counts: &mut [i32; HASH_DIM], feature: &[char]) {
    let text: String = feature.iter().collect();
    let hash = mix(fnv1a(text.as_bytes()));
    let sign = if hash >> 8 & 1 == 1 { -1 } else { 1 };
    counts[(hash % HASH_DIM as u64) as usize] += sign;
}

/// 64-bit FNV-1a (Fowler, Noll, Vo).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The 64-bit finaliser of MurmurHash3 (`fmix64`, Appleby, public domain).
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cosine(a: &str, b: &str) -> f32 {
        let (a, b) = (hash_word(a).unwrap(), hash_word(b).unwrap());
        a.iter().zip(&b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn hashes_are_the_published_ones() {
        // Test vectors of the FNV reference code; fmix64(1) of the MurmurHash3 reference code.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(mix(1), 0xb456_bcfc_34c2_cb2c);
    }

    /// Column and signed count of every feature, from an implementation of the definition in another language.
    #[test]
    #[rustfmt::skip]
    fn golden_vectors() {
        let golden: [(&str, &[(usize, i32)]); 5] = [
            ("I", &[(99, 1)]),
            ("team", &[(56, -1), (96, 1), (97, 1), (100, -1), (106, 1), (123, -1), (148, 1), (160, 1), (191, -1), (202, 1)]),
            ("Straße", &[(28, 1), (38, 1), (55, 1), (56, -1), (57, 1), (66, 1), (69, 1), (74, 2), (75, -1), (77, -1),
                (147, -1), (193, -1), (213, -1), (228, -1), (241, 1)]),
            ("面接", &[(11, -1), (66, -1), (150, -1)]),
            ("c'est", &[(13, 1), (37, -1), (44, -1), (46, -1), (64, 1), (77, 1), (129, -1), (160, -1), (192, -1),
                (193, -1), (201, 1), (202, -1), (229, -1)]),
        ];
        for (word, counts) in golden {
            let norm = counts.iter().map(|(_, n)| f64::from(n * n)).sum::<f64>().sqrt();
            let mut expected = [0.0_f32; HASH_DIM];
            for (column, n) in counts {
                expected[*column] = (f64::from(*n) / norm) as f32;
            }
            assert_eq!(hash_word(word).unwrap(), expected, "{word}");
        }
    }

    #[test]
    fn case_width_and_edge_punctuation_do_not_matter() {
        for (a, b) in
            [("Team,", "team"), ("\"TEAM\"...", "team"), ("ｔｅａｍ", "team"), ("e\u{301}té", "été"), ("(ﬁne)", "fine")]
        {
            assert_eq!(hash_word(a), hash_word(b), "{a}");
        }
        assert_ne!(hash_word("can't"), hash_word("cant"));
        // A final vowel sign or virama is a part of the word, not punctuation.
        assert_ne!(hash_word("क्"), hash_word("क"));
    }

    #[test]
    fn nothing_left_is_no_vector() {
        for word in ["", " ", "-", "...", "\"", "\u{301}", "—"] {
            assert_eq!(hash_word(word), None, "{word:?}");
        }
    }

    #[test]
    fn related_forms_are_closer_than_unrelated_words() {
        for (word, form, other) in
            [("manage", "managed", "weather"), ("customer", "customers", "engine"), ("vendre", "vendeur", "bateau")]
        {
            assert!(cosine(word, form) > cosine(word, other) + 0.2, "{word}");
        }
    }

    proptest! {
        #[test]
        fn every_vector_is_finite_and_of_length_one(word in "\\PC{0,20}") {
            if let Some(vector) = hash_word(&word) {
                let norm: f64 = vector.iter().map(|v| f64::from(*v).powi(2)).sum();
                prop_assert!((norm - 1.0).abs() < 1e-5);
            }
        }
    }
}
