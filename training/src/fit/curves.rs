//! Losses and validation AUC over the epochs, as SVG.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Epoch;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
const MARGIN: f64 = 36.0;
/// Name, colour, and value of each line.
type Line = (&'static str, &'static str, fn(&Epoch) -> Option<f64>);
const LINES: [Line; 3] = [
    ("training loss", "#1f5fa8", |e| e.train_loss),
    ("validation loss", "#b3541e", |e| Some(e.validation_loss)),
    ("validation AUC", "#2f7d32", |e| Some(e.validation_auc)),
];

/// One panel for each history.
#[must_use]
pub fn svg(histories: &BTreeMap<String, Vec<Epoch>>) -> String {
    let width = WIDTH * histories.len().max(1) as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        HEIGHT + 24.0
    );
    for (place, (name, history)) in histories.iter().enumerate() {
        panel(&mut out, place as f64 * WIDTH, name, history);
    }
    for (place, (name, colour, _)) in LINES.iter().enumerate() {
        let x = MARGIN + place as f64 * 110.0;
        let _ = writeln!(out, "<text x=\"{x}\" y=\"{}\" fill=\"{colour}\">{name}</text>", HEIGHT + 14.0);
    }
    out.push_str("</svg>\n");
    out
}

fn panel(out: &mut String, left: f64, name: &str, history: &[Epoch]) {
    let top = history.iter().flat_map(|e| LINES.map(|(_, _, of)| of(e))).flatten().fold(1.0, f64::max);
    let last = history.last().map_or(0, |e| e.epoch);
    let x = |epoch: usize| left + MARGIN + (WIDTH - 2.0 * MARGIN) * epoch as f64 / last.max(1) as f64;
    let y = |value: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * value / top;
    let (x0, x1, y0) = (x(0), x(last.max(1)), y(0.0));
    let _ = writeln!(out, "<text x=\"{x0}\" y=\"20\" font-weight=\"bold\">{name}</text>");
    for step in 0..=4 {
        let value = top * f64::from(step) / 4.0;
        let at = y(value);
        let _ = writeln!(out, "<line x1=\"{x0}\" x2=\"{x1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>");
        let _ =
            writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>", x0 - 4.0, at + 4.0);
    }
    let _ = writeln!(out, "<text x=\"{x1}\" y=\"{:.1}\" text-anchor=\"end\">epoch {last}</text>", y0 + 16.0);
    for (_, colour, of) in LINES {
        let point = |e: &Epoch| Some(format!("{:.1},{:.1}", x(e.epoch), y(of(e)?.clamp(0.0, top))));
        let points: Vec<String> = history.iter().filter_map(point).collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
            points.join(" ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_history_has_its_three_lines() {
        let epoch = |epoch: usize| Epoch {
            epoch,
            train_loss: (epoch > 0).then_some(0.7),
            validation_loss: 0.6,
            validation_auc: 0.5,
        };
        let history: Vec<Epoch> = (0..=5).map(epoch).collect();
        let text = svg(&BTreeMap::from([("verbal".to_owned(), history.clone()), ("fused".to_owned(), history)]));
        assert_eq!(text.matches("<polyline").count(), 6);
        // The start has no training loss: five points there, six on the other lines.
        let points = |colour: &str| {
            let line =
                text.lines().find(|line| line.contains("<polyline") && line.contains(colour)).unwrap_or_default();
            line.matches(',').count()
        };
        assert_eq!(["#1f5fa8", "#b3541e", "#2f7d32"].map(points), [5, 6, 6]);
        assert!(text.contains(">verbal<") && text.contains("epoch 5") && !text.contains("NaN"));
    }
}
