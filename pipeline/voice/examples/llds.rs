//! Prints the 25 descriptors of a WAV file (16-bit mono, 16 kHz) as CSV, and the seconds that measuring took on stderr.
//!
//! `cargo run --release -p hirenet-voice --example llds -- FILE.wav > llds.csv`

use std::path::PathBuf;
use std::time::Instant;

use hirenet_core::LLD_COLUMNS;
use hirenet_voice::{VoiceMeter, VoiceSettings};

#[path = "../tests/voice/support.rs"]
mod support;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: llds FILE.wav")?);
    let samples = support::read_wav(&path);
    let mut meter = VoiceMeter::new(hirenet_tests::runtime(), &VoiceSettings::default())?;
    let start = Instant::now();
    let llds = meter.measure(&samples)?;
    eprintln!("{:.4}", start.elapsed().as_secs_f64());
    println!("time_s,valid,{}", LLD_COLUMNS.map(|(name, _)| name).join(","));
    for ((time, valid), row) in llds.times_s.iter().zip(&llds.valid).zip(llds.values.rows()) {
        let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        println!("{time:.2},{},{}", u8::from(*valid), cells.join(","));
    }
    Ok(())
}
