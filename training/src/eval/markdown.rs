//! The reports as Markdown: the paper's table, every measure, groups and positions.

use std::collections::BTreeMap;
use std::fmt::Write;

use hirenet_core::Modality;

use super::metrics::Measures;
use super::report::{ModelReport, SMALL};

/// Rows of the paper's table, top to bottom; other models follow.
const ORDER: [&str; 11] = [
    "random",
    "majority",
    "non_sequential",
    "bag_of_words",
    "bigru",
    "hn_avg",
    "hn_satt",
    "hirenet",
    "early",
    "late",
    "gated",
];

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.3}"))
}

/// Mean and, over several seeds, standard deviation of a measure.
fn cell(report: &ModelReport, name: &str) -> String {
    match report.over_seeds[name] {
        Some([mean, deviation]) if report.seeds.len() > 1 => format!("{mean:.3} ± {deviation:.3}"),
        Some([mean, _]) => format!("{mean:.3}"),
        None => "-".to_owned(),
    }
}

/// What the paper reports of the model; empty where it has no such row.
fn reported(report: &ModelReport) -> String {
    report.reported.map_or(String::new(), |reported| reported.to_string())
}

/// The table of the paper (its Table 2): a row a model; precision, recall and F1 of each modality, and beside them what was
/// reported. Fused models have a table of their own.
fn paper(out: &mut String, reports: &[ModelReport]) {
    let mut models: Vec<&str> = reports.iter().map(|report| report.model.as_str()).collect();
    models.sort_by_key(|model| (ORDER.iter().position(|known| known == model).unwrap_or(ORDER.len()), *model));
    models.dedup();
    let of = |model: &str, modality: &str| {
        reports.iter().find(|report| report.model == model && report.modality == modality)
    };
    let columns = |model: &str, modality: &str| {
        of(model, modality).map_or(" | ".to_owned(), |report| {
            let [p, r, f1] = ["precision", "recall", "f1"].map(|name| cell(report, name));
            format!("{p} / {r} / {f1} | {}", reported(report))
        })
    };
    let modalities = Modality::ALL.map(Modality::as_str);
    for shown in [&modalities[..], &["fused"]] {
        let rows: Vec<&&str> = models.iter().filter(|model| shown.iter().any(|m| of(model, m).is_some())).collect();
        if rows.is_empty() {
            continue;
        }
        let heads: Vec<String> = shown.iter().map(|m| format!("{m} P / R / F1 | reported")).collect();
        let _ = writeln!(out, "| model | {} |\n| --- {}|", heads.join(" | "), "| --- | --- ".repeat(shown.len()));
        for model in rows {
            let cells: Vec<String> = shown.iter().map(|m| columns(model, m)).collect();
            let _ = writeln!(out, "| {} | {} |", text(model), cells.join(" | "));
        }
        out.push('\n');
    }
}

/// A name as the text of a table's cell: names of bundles, groups and positions are anybody's.
fn text(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '&' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The reports as Markdown.
#[must_use]
pub fn markdown(reports: &[ModelReport]) -> String {
    let mut out = String::from(
        "Test split, or what a bundle was measured on; mean ± standard deviation over seeds. Threshold: best F1 on validation; \
         a bundle's calibration and threshold are its card's. \"-\": a class is missing, or there are no interviews. \"reported\": \
         precision / recall / F1 of Hemamou et al. (AAAI 2019), as recalled, on another corpus; (?): the three do not agree.\n\n",
    );
    paper(&mut out, reports);
    out.push_str(
        "\
         | modality | model | P | R | F1 | all-positive F1 | AUC | 95 % AUC (first seed) | balanced accuracy | calibration error before → after | reported |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for report in reports {
        let cell = |name: &str| cell(report, name);
        let auc = report.seeds[0].auc_interval.map_or("-".to_owned(), |[low, high]| format!("{low:.3} to {high:.3}"));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {auc} | {} | {} → {} | {} |",
            report.modality,
            text(&report.model),
            cell("precision"),
            cell("recall"),
            cell("f1"),
            cell("all_positive_f1"),
            cell("auc"),
            cell("balanced_accuracy"),
            cell("calibration_error_before"),
            cell("calibration_error"),
            reported(report),
        );
    }
    parts(&mut out, "Groups (first seed; never an input)", reports, |report| &report.groups);
    parts(&mut out, "Positions (first seed)", reports, |report| &report.positions);
    out
}

fn parts(out: &mut String, title: &str, reports: &[ModelReport], of: fn(&ModelReport) -> &BTreeMap<String, Measures>) {
    if reports.iter().all(|report| of(report).is_empty()) {
        return;
    }
    let _ = write!(
        out,
        "\n{title}. Below {SMALL} interviews a number says little.\n\n\
         | modality | model | part | interviews | F1 | all-positive F1 | AUC | balanced accuracy |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for report in reports.iter().filter(|r| r.bundle || matches!(r.model.as_str(), "hirenet" | "gated")) {
        for (part, m) in of(report) {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {:.3} | {:.3} | {} | {} |",
                report.modality,
                text(&report.model),
                text(part),
                m.count,
                m.f1,
                m.all_positive_f1,
                number(m.auc),
                number(m.balanced_accuracy)
            );
        }
    }
}
