//! Places on the page that depend on the data, as generated style rules.
//!
//! The content security policy forbids `style` attributes, so every such place becomes a class in the page's second
//! style element. A rule holds numbers only: no text of the assessment can reach it.

use std::collections::HashMap;
use std::fmt::Write;

/// Collects the rules; equal places share a class.
#[derive(Debug, Default)]
pub(super) struct Layout {
    rules: HashMap<String, String>,
    css: String,
}

impl Layout {
    /// A class that puts an element at `start` and makes it `length` long, both as shares of its parent's width.
    pub(super) fn place(&mut self, start: f64, length: f64) -> String {
        let (start, length) = (share(start), share(length));
        self.class(format!("left:{start}%;width:{length}%"))
    }

    /// A class that puts an element at `start`, a share of its parent's width.
    pub(super) fn at(&mut self, start: f64) -> String {
        self.class(format!("left:{}%", share(start)))
    }

    /// The classes of a mark on a time axis; one near the end stands left of its place, so that it stays inside.
    pub(super) fn tick(&mut self, start: f64) -> String {
        let place = self.at(start);
        if start > LAST_TICK_FROM { format!("{place} last") } else { place }
    }

    /// A class that makes an element `length` long, a share of its parent's width.
    pub(super) fn width(&mut self, length: f64) -> String {
        self.class(format!("width:{}%", share(length)))
    }

    /// The rules collected so far.
    pub(super) fn into_css(self) -> String {
        self.css
    }

    fn class(&mut self, rule: String) -> String {
        let number = self.rules.len();
        self.rules
            .entry(rule)
            .or_insert_with_key(|rule| {
                let class = format!("p{number}");
                let _ = writeln!(self.css, ".{class}{{{rule}}}");
                class
            })
            .clone()
    }
}

/// A share 0..1 as a percentage with two decimals.
fn share(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 };
    format!("{:.2}", value * 100.0)
}

/// Widest curve in points; a longer one keeps the highest value of each group of rows.
const CURVE_POINTS: usize = 600;
/// Height of a lane in its own units; the lane's width is 1000.
const LANE_HEIGHT: f64 = 100.0;
/// Share of the height that the highest value takes.
const LANE_USED: f64 = 0.94;

/// A lane's drawing as SVG path data, in a box 1000 wide and 100 high with the origin at the top left.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Curve {
    /// Filled shape.
    pub(super) area: String,
    /// Outline on top of it.
    pub(super) line: String,
}

/// Height of the value `value` on a lane whose highest value is `max`.
pub(super) fn lane_y(value: f64, max: f64) -> f64 {
    LANE_HEIGHT - LANE_HEIGHT * LANE_USED * (value / max).clamp(0.0, 1.0)
}

/// The curve through `(time_s, value)`, times ascending, on an answer of `length_s` seconds.
pub(super) fn curve(points: &[(f64, f64)], length_s: f64, max: f64) -> Curve {
    let group = points.len().div_ceil(CURVE_POINTS).max(1);
    let mut curve = Curve::default();
    for (k, rows) in points.chunks(group).enumerate() {
        let time = f64::midpoint(rows[0].0, rows[rows.len() - 1].0);
        let value = rows.iter().map(|row| row.1).fold(0.0, f64::max);
        let command = if k == 0 { 'M' } else { 'L' };
        let _ = write!(curve.line, "{command}{:.1} {:.1}", lane_x(time, length_s), lane_y(value, max));
    }
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let (left, right) = (lane_x(first.0, length_s), lane_x(last.0, length_s));
        curve.area = format!("{}L{right:.1} {LANE_HEIGHT}L{left:.1} {LANE_HEIGHT}Z", curve.line);
    }
    curve
}

/// One bar for each `(start_s, end_s, value)`.
pub(super) fn bars(rows: &[(f64, f64, f64)], length_s: f64, max: f64) -> Curve {
    let mut curve = Curve::default();
    for (start, end, value) in rows {
        let (left, right, top) = (lane_x(*start, length_s), lane_x(*end, length_s), lane_y(*value, max));
        let _ = write!(curve.area, "M{left:.1} {LANE_HEIGHT}V{top:.1}H{right:.1}V{LANE_HEIGHT}Z");
        let _ = write!(curve.line, "M{left:.1} {top:.1}H{right:.1}");
    }
    curve
}

fn lane_x(time_s: f64, length_s: f64) -> f64 {
    (1000.0 * time_s / length_s).clamp(0.0, 1000.0)
}

/// Share of a time axis from which a mark's label would leave it.
const LAST_TICK_FROM: f64 = 0.85;
/// Distances between two marks of a time axis, in seconds.
const TICK_STEPS_S: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
/// Most marks on a time axis, so that their labels fit on a phone.
const MAX_TICKS: f64 = 6.0;

/// Times in seconds to mark on the axis of an answer of `length_s` seconds.
pub(super) fn ticks(length_s: f64) -> Vec<f64> {
    let step = TICK_STEPS_S.into_iter().find(|step| length_s / step < MAX_TICKS).unwrap_or(length_s / MAX_TICKS);
    let marks = (length_s / step) as u32;
    (0..=marks).map(|k| f64::from(k) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_places_share_a_class_and_rules_hold_numbers_only() {
        let mut layout = Layout::default();
        let first = layout.place(0.25, 0.5);
        assert_eq!(layout.place(0.25, 0.5), first);
        assert_ne!(layout.at(f64::NAN), first);
        assert_eq!(layout.into_css(), ".p0{left:25.00%;width:50.00%}\n.p1{left:0.00%}\n");
    }

    #[test]
    fn a_long_curve_keeps_its_peak() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|k| (f64::from(k) * 0.25, 1.0)).collect();
        points[7777].1 = 4.0;
        let drawn = curve(&points, 2500.0, 4.0);
        assert!(drawn.line.contains(" 6.0"), "the peak of 4 reaches the top");
        assert!(drawn.line.matches('L').count() < CURVE_POINTS);
    }

    #[test]
    fn few_ticks_at_round_times() {
        assert_eq!(ticks(12.0), [0.0, 5.0, 10.0]);
        assert_eq!(ticks(60.0), [0.0, 15.0, 30.0, 45.0, 60.0]);
        for length in [0.3, 1.0, 7.7, 100.0, 1800.0, 7200.0, 1e5] {
            let marks = ticks(length).len();
            assert!((1..=7).contains(&marks), "{marks} marks on {length} s");
        }
    }
}
