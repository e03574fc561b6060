//! Rows of measured values: a table for people, a JSON file for programs.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use hirenet_tests::source_dir;
use serde::Serialize;
use serde_json::{Value, json};

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: &'static str,
    /// The value; `None`: it could not be measured, which never passes.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: &'static str,
    /// The least that the same machine could do.
    pub floor: Option<f64>,
    /// What another program did.
    pub peer: Option<f64>,
    /// The bound as text, such as `<= 0`.
    pub bar: Option<&'static str>,
    /// Whether the bound is kept; `None` where there is none.
    pub pass: Option<bool>,
}

impl Row {
    /// A value without a bound.
    #[must_use]
    pub fn new(name: &'static str, value: Option<f64>, unit: &'static str) -> Self {
        let pass = value.is_none().then_some(false);
        Row { name, value, unit, floor: None, peer: None, bar: None, pass }
    }

    /// The same with its bound: `<=` or `>=` and a number.
    #[must_use]
    pub fn bar(mut self, bar: &'static str) -> Self {
        let (comparison, bound) = bar.split_once(' ').unwrap_or(("", ""));
        let bound: Option<f64> = bound.parse().ok();
        let kept = self.value.zip(bound).is_some_and(|(value, bound)| match comparison {
            "<=" => value <= bound,
            ">=" => value >= bound,
            _ => false,
        });
        (self.bar, self.pass) = (Some(bar), Some(kept));
        self
    }

    /// The same with its floor.
    #[must_use]
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }
}

/// Prints the table, writes `bench-out/NAME.json`, and tells whether every bound is kept.
///
/// # Errors
/// Where the file cannot be written.
pub fn finish(name: &str, settings: &Value, rows: &[Row]) -> Result<bool> {
    for row in rows {
        let value = row.value.map_or("not measured".to_owned(), number);
        let mark = row.pass.map_or("", |pass| if pass { "pass" } else { "FAIL" });
        let floor = row.floor.map(|f| format!("floor {}", number(f))).unwrap_or_default();
        println!("{:<28} {value:>12} {:<16} {floor:<18} {:<8} {mark}", row.name, row.unit, row.bar.unwrap_or(""));
    }
    let folder = source_dir().join("bench-out");
    std::fs::create_dir_all(&folder)?;
    let content = json!({"commit": commit(), "machine": machine(), "settings": settings, "rows": rows});
    write_whole(&folder.join(format!("{name}.json")), &serde_json::to_string_pretty(&content)?)?;
    Ok(rows.iter().all(|row| row.pass != Some(false)))
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value:.3}") }
}

fn write_whole(path: &Path, text: &str) -> Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, format!("{text}\n"))?;
    Ok(std::fs::rename(part, path)?)
}

/// The source's commit, marked where the working tree differs from it; none outside a clone.
fn commit() -> Option<String> {
    let arguments = ["describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"];
    let output = Command::new("git").args(arguments).current_dir(source_dir()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// The machine in words.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let model = read("/proc/cpuinfo");
    let model = model.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, m)| m);
    let memory = read("/proc/meminfo");
    let kib = memory.lines().find_map(|l| l.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{model}, {cores} cores, {:.0} GiB, Linux {}", kib.unwrap_or(0.0) / 1_048_576.0, kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_kept_or_not_and_what_was_not_measured_never_passes() {
        let passes = |value, bar| Row::new("x", value, "").bar(bar).pass;
        assert_eq!(passes(Some(0.0), "<= 0"), Some(true));
        assert_eq!(passes(Some(1.0), "<= 0"), Some(false));
        assert_eq!(passes(Some(20.0), ">= 20"), Some(true));
        assert_eq!(passes(Some(19.0), ">= 20"), Some(false));
        assert_eq!(passes(None, "<= 0"), Some(false));
        assert_eq!(Row::new("x", Some(1.0), "").pass, None);
        assert_eq!(Row::new("x", None, "").pass, Some(false));
    }
}
