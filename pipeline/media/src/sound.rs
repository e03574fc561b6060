//! Sound of one stream as mono samples at 16 kHz, sample `n` at `n / 16000` s of media time.

use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::software::resampling::Context;
use ffmpeg_next::software::resampling::context::Definition;
use ffmpeg_next::util::frame;
use ffmpeg_next::{ChannelLayout, Error, Packet, Rational, codec, decoder};
use hirenet_core::{Code, SAMPLE_RATE};

use crate::damage::{Damage, is_dry};
use crate::message::{Emit, Message, Stop};
use crate::streams::seconds;
use crate::types::Event;
use crate::{MediaSettings, Refusal};

/// Samples in a message: a quarter of a second.
const BLOCK: usize = SAMPLE_RATE as usize / 4;
/// Timestamps may differ from the count of samples by this much before silence is put in or an overlap is cut out.
/// Containers round timestamps to a millisecond, and MP3 and AAC recorders to a packet.
const TOLERANCE: i64 = SAMPLE_RATE as i64 / 50;
/// Timestamps that step back by more seconds are not an overlap: the recorder's clock was set anew.
pub(crate) const MAX_OVERLAP_S: f64 = 5.0;
const MAX_OVERLAP: i64 = MAX_OVERLAP_S as i64 * SAMPLE_RATE as i64;
const PACKED: Sample = Sample::F32(Type::Packed);

/// Decodes one audio stream.
pub(crate) struct Sound {
    decoder: decoder::Audio,
    time_base: Rational,
    zero_s: f64,
    resampler: Option<Context>,
    /// Samples on their way to the next message.
    block: Vec<f32>,
    /// Samples given out or in `block`.
    placed: i64,
    /// Samples still to be left out, because their time is taken.
    overlap: i64,
    /// Added to timestamps after the recorder's clock was set anew.
    shift: i64,
    started: bool,
    /// Samples after which decoding has gone wrong: the limit on duration is held against the packets, and a decoder may
    /// fill up the last of them.
    limit: i64,
    /// Timestamps beyond this sample are damage and not a gap.
    last_plausible: i64,
    pub(crate) damage: Damage,
}

impl Sound {
    /// A decoder of one stream; no timestamp beyond `last_plausible_s` is believed.
    pub(crate) fn open(
        parameters: codec::Parameters,
        time_base: Rational,
        zero_s: f64,
        last_plausible_s: f64,
        settings: &MediaSettings,
    ) -> Result<Self, Error> {
        let mut context = codec::Context::from_parameters(parameters)?.decoder();
        context.set_packet_time_base(time_base);
        let rate = f64::from(SAMPLE_RATE);
        let limit = ((settings.max_duration_s + 1.0) * rate) as i64;
        Ok(Sound {
            decoder: context.audio()?,
            time_base,
            zero_s,
            resampler: None,
            block: Vec::with_capacity(2 * BLOCK),
            placed: 0,
            overlap: 0,
            shift: 0,
            started: false,
            limit,
            last_plausible: (last_plausible_s * rate) as i64,
            damage: Damage::default(),
        })
    }

    /// Number of samples so far.
    pub(crate) fn samples(&self) -> u64 {
        self.placed.cast_unsigned()
    }

    /// Decodes a packet; `None` at the end of the file.
    pub(crate) fn feed(&mut self, packet: Option<&Packet>, emit: &mut Emit<'_>) -> Result<(), Stop> {
        let sent = match packet {
            Some(packet) => {
                self.damage.packets += 1;
                self.decoder.send_packet(packet)
            }
            None => self.decoder.send_eof(),
        };
        if let Err(error) = sent {
            self.damage.failed(error)?;
        }
        let mut decoded = frame::Audio::empty();
        loop {
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => self.take(&mut decoded, emit)?,
                Err(error) if is_dry(error) => break,
                Err(error) => {
                    self.damage.failed(error)?;
                    break;
                }
            }
        }
        if packet.is_none() {
            self.drain(emit)?;
            self.flush(emit)?;
        }
        Ok(())
    }

    fn take(&mut self, decoded: &mut frame::Audio, emit: &mut Emit<'_>) -> Result<(), Stop> {
        if decoded.samples() == 0 {
            return Ok(());
        }
        self.damage.decoded();
        decoded.set_channel_layout(native_layout(decoded));
        let format =
            Definition { format: decoded.format(), channel_layout: decoded.channel_layout(), rate: decoded.rate() };
        if self.resampler.as_ref().is_some_and(|known| *known.input() != format) {
            self.drain(emit)?;
        }
        self.align(decoded.timestamp(), emit)?;
        match self.resample(decoded, format) {
            Ok(out) => self.push(samples(&out), emit),
            Err(error) => Ok(self.damage.failed(error)?),
        }
    }

    /// Brings the count of samples to a timestamp: silence for a gap, a cut for an overlap.
    fn align(&mut self, timestamp: Option<i64>, emit: &mut Emit<'_>) -> Result<(), Stop> {
        let Some(time_s) = seconds(timestamp, self.time_base) else { return Ok(()) };
        let target = ((time_s - self.zero_s) * f64::from(SAMPLE_RATE)).round() as i64;
        let delay = self.resampler.as_ref().and_then(Context::delay).map_or(0, |delay| delay.output);
        let here = self.placed + delay - self.overlap;
        let step = target + self.shift - here;
        let tolerance = if self.started { TOLERANCE } else { 0 };
        self.started = true;
        if step.abs() <= tolerance {
            return Ok(());
        }
        let is_gap = step > 0 && here + step <= self.last_plausible;
        let is_overlap = step < 0 && -step <= MAX_OVERLAP;
        if is_gap || is_overlap {
            self.drain(emit)?;
            let rest = target + self.shift - (self.placed - self.overlap);
            if rest > 0 { self.silence(rest, emit)? } else { self.overlap -= rest }
        } else {
            self.shift -= step;
        }
        Ok(())
    }

    fn resample(&mut self, decoded: &frame::Audio, from: Definition) -> Result<frame::Audio, Error> {
        let known = self.resampler.take();
        let Definition { format, channel_layout, rate } = from;
        let make = || Context::get(format, channel_layout, rate, PACKED, ChannelLayout::MONO, SAMPLE_RATE);
        let mut resampler = known.map_or_else(make, Ok)?;
        // Room for all that may come, or the resampler would hold more and more back.
        let waiting = resampler.delay().map_or(0, |delay| delay.output.max(0) as usize);
        let room = waiting + decoded.samples() * SAMPLE_RATE as usize / rate.max(1) as usize + 64;
        let mut out = frame::Audio::new(PACKED, room, ChannelLayout::MONO);
        let result = resampler.run(decoded, &mut out);
        self.resampler = Some(resampler);
        result.map(|_| out)
    }

    /// Takes what the resampler still holds, and ends it.
    fn drain(&mut self, emit: &mut Emit<'_>) -> Result<(), Stop> {
        let Some(mut resampler) = self.resampler.take() else { return Ok(()) };
        loop {
            let mut out = frame::Audio::new(PACKED, BLOCK, ChannelLayout::MONO);
            let more = resampler.flush(&mut out);
            self.push(samples(&out), emit)?;
            if out.samples() == 0 || !matches!(more, Ok(Some(_))) {
                return Ok(());
            }
        }
    }

    fn silence(&mut self, mut count: i64, emit: &mut Emit<'_>) -> Result<(), Stop> {
        let zeros = [0.0; BLOCK];
        while count > 0 {
            let part = count.min(BLOCK as i64);
            self.push(&zeros[..part as usize], emit)?;
            count -= part;
        }
        Ok(())
    }

    fn push(&mut self, samples: &[f32], emit: &mut Emit<'_>) -> Result<(), Stop> {
        let cut = self.overlap.min(samples.len() as i64);
        self.overlap -= cut;
        let kept = &samples[cut as usize..];
        // Floating-point streams can hold anything.
        self.block.extend(kept.iter().map(|s| if s.is_finite() { *s } else { 0.0 }));
        self.placed += kept.len() as i64;
        if self.placed > self.limit {
            return Err(Refusal::plain(Code::LimitDuration).into());
        }
        if self.block.len() >= BLOCK { self.flush(emit) } else { Ok(()) }
    }

    fn flush(&mut self, emit: &mut Emit<'_>) -> Result<(), Stop> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(2 * BLOCK));
        emit(Message::Event(Event::Samples(block)))
    }
}

fn samples(out: &frame::Audio) -> &[f32] {
    if out.samples() == 0 { &[] } else { &out.plane::<f32>(0)[..out.samples()] }
}

/// The layout as the resampler wants it: raw sound often says how many channels it has, but not which.
fn native_layout(decoded: &frame::Audio) -> ChannelLayout {
    let count = i32::from(decoded.channels());
    let usual = || ChannelLayout::default(count);
    let first = || ChannelLayout::from_bits_truncate(1_u64.checked_shl(count.cast_unsigned()).map_or(0, |bit| bit - 1));
    let fits = |layout: &ChannelLayout| layout.channels() == count;
    Some(decoded.channel_layout()).filter(fits).or_else(|| Some(usual()).filter(fits)).unwrap_or_else(first)
}
