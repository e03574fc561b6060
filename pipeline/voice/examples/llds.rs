//! Prints the 25 descriptors of 16-bit mono PCM at 16 kHz on stdin as CSV, and the seconds that measuring took on stderr.
//!
//! `ffmpeg -v error -i FILE -ac 1 -ar 16000 -f s16le - | cargo run --release -p hirenet-voice --example llds`

use std::io::{Read, Write};
use std::time::Instant;

use hirenet_core::LLD_COLUMNS;
use hirenet_voice::{VoiceMeter, VoiceSettings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    let samples: Vec<f32> =
        bytes.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect();

    let mut meter = VoiceMeter::new(hirenet_tests::runtime(), &VoiceSettings::default())?;
    let start = Instant::now();
    let llds = meter.measure(&samples)?;
    eprintln!("{:.4}", start.elapsed().as_secs_f64());

    let mut out = std::io::stdout().lock();
    writeln!(out, "time_s,valid,{}", LLD_COLUMNS.map(|(name, _)| name).join(","))?;
    for ((time, valid), row) in llds.times_s.iter().zip(&llds.valid).zip(llds.values.rows()) {
        let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        writeln!(out, "{time:.2},{},{}", u8::from(*valid), cells.join(","))?;
    }
    Ok(())
}
