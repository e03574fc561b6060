//! How numbers, times and names are written for a reader.

use hirenet_core::{Modality, Span};

/// What a modality is called on the page.
pub(super) fn modality_name(modality: Modality) -> &'static str {
    match modality {
        Modality::Verbal => "Words",
        Modality::Vocal => "Voice",
        Modality::Visual => "Face",
    }
}

/// `m:ss`, or `h:mm:ss` from one hour on.
pub(super) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    let (h, m, s) = (whole / 3600, whole / 60 % 60, whole % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// As [`clock`], with tenths of a second.
pub(super) fn clock_tenths(seconds: f64) -> String {
    // Rounding first: 59.96 s is 1:00.0, not 0:59.10.
    let tenths = in_tenths(seconds.max(0.0)) as u64;
    format!("{}.{}", clock((tenths / 10) as f64), tenths % 10)
}

/// Seconds with one decimal, rounded as on the page: `format!` by itself takes 5.25 to the even 5.2.
pub(crate) fn tenths(seconds: f64) -> String {
    format!("{:.1}", in_tenths(seconds) / 10.0)
}

/// Whole tenths, halves away from zero.
fn in_tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round()
}

/// A share 0..1 in whole per cent.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 { "<1 %".to_owned() } else { format!("{:.0} %", share * 100.0) }
}

/// A signed number with two decimals and a true minus sign; a value that rounds to zero has no sign.
pub(super) fn signed(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    match value {
        _ if text.bytes().all(|b| b == b'0' || b == b'.') => text,
        v if v < 0.0 => format!("\u{2212}{text}"),
        _ => format!("+{text}"),
    }
}

/// What a span did to the score, in words. Below half a hundredth it shows as 0.00.
pub(super) fn effect(influence: f64) -> &'static str {
    match signed(influence).chars().next() {
        Some('+') => "raised the score",
        Some('\u{2212}') => "lowered the score",
        _ => "hardly changed the score",
    }
}

/// `0:12.0 to 0:15.5`, or that the words have no times.
pub(super) fn span_times(span: &Span) -> String {
    match (span.start, span.end) {
        (Some(start), Some(end)) => format!("{} to {}", clock_tenths(start), clock_tenths(end)),
        _ => "no times".to_owned(),
    }
}

/// `1 answer`, `2 answers`.
pub(super) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_on_a_player() {
        assert_eq!([clock(0.0), clock(75.9), clock(3671.0)], ["0:00", "1:15", "1:01:11"]);
        assert_eq!([clock_tenths(59.96), clock_tenths(12.34)], ["1:00.0", "0:12.3"]);
        assert_eq!([clock_tenths(5.25), clock_tenths(4.75)], ["0:05.3", "0:04.8"]);
        assert_eq!([tenths(5.25), tenths(4.75), tenths(59.96), tenths(0.0)], ["5.3", "4.8", "60.0", "0.0"]);
    }

    #[test]
    fn a_sign_is_never_given_to_zero() {
        assert_eq!([signed(0.214), signed(-0.3), signed(-0.001)], ["+0.21", "\u{2212}0.30", "0.00"]);
        assert_eq!(
            [effect(0.2), effect(-0.2), effect(0.001)],
            ["raised the score", "lowered the score", "hardly changed the score"]
        );
    }
}
