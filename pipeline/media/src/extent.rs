//! How long a recording is: one rule, by its packets alone.
//!
//! All tracks of a recording share its length, and consent decides what is decoded; so the length may depend on nothing
//! that only a decoder knows. Timestamps and lengths of packets say it, less what their side data has cut off at the end.
//! A decoder may give a little more sound than that: AAC fills up its last packet.

use ffmpeg_next::codec::packet::side_data::Type;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Error, Packet};

use crate::picture::USUAL_FRAME_S;
use crate::sound::MAX_OVERLAP_S;
use crate::streams::{Chosen, Plan, seconds};
use crate::{MediaSettings, ffi};

/// Lengths are rounded to this many parts of a second, so that no noise of arithmetic is left in them.
const PARTS: f64 = 1e6;

/// Ends of the chosen streams, as far as their packets were seen.
#[derive(Debug)]
pub(crate) struct Extent<'a> {
    sound: Option<Ends<'a>>,
    pictures: Option<Ends<'a>>,
    zero_s: f64,
    /// No timestamp of sound beyond this is believed.
    last_plausible_s: f64,
}

/// The end of one stream.
#[derive(Debug)]
struct Ends<'a> {
    chosen: &'a Chosen,
    /// Seconds since media time zero.
    end_s: f64,
    /// Added to timestamps after the recorder's clock was set anew.
    shift_s: f64,
    order: Order,
}

/// When pictures are shown of which only the time of decoding is known, as MPEG-1 and MPEG-2 leave many.
#[derive(Debug, Default)]
struct Order {
    is_needed: bool,
    /// How much later the first picture is shown than it is decoded. At an even rate, so is the last.
    delay_s: Option<f64>,
    /// Last end by the times of decoding, in seconds since media time zero.
    decoded_s: f64,
}

impl<'a> Extent<'a> {
    /// No packet seen yet.
    pub(crate) fn new(plan: &'a Plan, settings: &MediaSettings) -> Self {
        let ends = |chosen: &'a Option<Chosen>| {
            chosen.as_ref().map(|chosen| Ends { chosen, end_s: 0.0, shift_s: 0.0, order: Order::default() })
        };
        Extent {
            sound: ends(&plan.audio),
            pictures: ends(&plan.video),
            zero_s: plan.zero_s,
            last_plausible_s: plan.last_plausible_s(settings),
        }
    }

    /// Counts a packet of whatever stream.
    pub(crate) fn count(&mut self, packet: &Packet) {
        if ffi::is_discarded(packet) {
            return;
        }
        let is = |ends: &&mut Ends<'_>| ends.chosen.index == packet.stream();
        if let Some(sound) = self.sound.as_mut().filter(is) {
            sound.count_sound(packet, self.zero_s, self.last_plausible_s);
        } else if let Some(pictures) = self.pictures.as_mut().filter(is) {
            pictures.count_picture(packet, self.zero_s);
        }
    }

    /// Length of the recording in seconds since media time zero.
    pub(crate) fn length_s(&self) -> f64 {
        let end_s = [&self.sound, &self.pictures].into_iter().flatten().map(Ends::end_s).fold(0.0, f64::max);
        (end_s * PARTS).round() / PARTS
    }
}

impl Ends<'_> {
    fn end_s(&self) -> f64 {
        let in_order_s = self.order.decoded_s + self.order.delay_s.unwrap_or(0.0);
        if self.order.is_needed { self.end_s.max(in_order_s) } else { self.end_s }
    }

    /// Takes timestamps as the decoding of sound does: one that cannot be follows on what came before.
    fn count_sound(&mut self, packet: &Packet, zero_s: f64, last_plausible_s: f64) {
        let cut_off_s = self.chosen.cut_off_rate.map_or(0.0, |rate| cut_off(packet) / f64::from(rate));
        let length_s = self.length_s(packet) - cut_off_s;
        if length_s <= 0.0 {
            return;
        }
        let mut at_s = self.time_s(packet).map_or(self.end_s, |time_s| time_s - zero_s + self.shift_s);
        let step_s = at_s - self.end_s;
        if (at_s > last_plausible_s && step_s > 0.0) || step_s < -MAX_OVERLAP_S {
            self.shift_s -= step_s;
            at_s = self.end_s;
        }
        self.end_s = self.end_s.max(at_s + length_s);
    }

    fn count_picture(&mut self, packet: &Packet, zero_s: f64) {
        let at_s = self.time_s(packet).map_or(self.end_s, |time_s| (time_s - zero_s).max(0.0));
        let length_s = Some(self.length_s(packet)).filter(|length_s| *length_s > 0.0).or(self.chosen.frame_s);
        let length_s = length_s.unwrap_or(USUAL_FRAME_S);
        self.end_s = self.end_s.max(at_s + length_s);
        let [shown_s, decoded_s] = [packet.pts(), packet.dts()].map(|time| seconds(time, self.chosen.time_base));
        self.order.is_needed |= shown_s.is_none();
        if let Some(decoded_s) = decoded_s {
            self.order.decoded_s = self.order.decoded_s.max(decoded_s - zero_s + length_s);
            self.order.delay_s = self.order.delay_s.or(shown_s.map(|shown_s| (shown_s - decoded_s).max(0.0)));
        }
    }

    fn time_s(&self, packet: &Packet) -> Option<f64> {
        seconds(packet.pts().or(packet.dts()), self.chosen.time_base)
    }

    fn length_s(&self, packet: &Packet) -> f64 {
        packet.duration().max(0) as f64 * f64::from(self.chosen.time_base)
    }
}

/// Samples at the end of a packet that are not heard: the second number of the side data that FFmpeg calls
/// `AV_PKT_DATA_SKIP_SAMPLES`, little endian.
fn cut_off(packet: &Packet) -> f64 {
    let side_data = packet.side_data().find(|side| side.kind() == Type::SkipSamples);
    side_data.and_then(|side| Some(u32::from_le_bytes(*side.data().get(4..)?.first_chunk()?))).map_or(0.0, f64::from)
}

/// Reads all packets of the chosen streams after `head`, decodes none, and returns the length in seconds since media
/// time zero.
pub(crate) fn measure(input: &mut Input, plan: &Plan, head: &[Packet], settings: &MediaSettings) -> Option<f64> {
    let mut extent = Extent::new(plan, settings);
    for packet in head {
        extent.count(packet);
    }
    let mut failed = 0;
    loop {
        let mut packet = Packet::empty();
        match packet.read(input) {
            Ok(()) => {
                failed = 0;
                extent.count(&packet);
            }
            Err(Error::Eof) => break,
            Err(_) => {
                failed += 1;
                if failed > crate::decode::MAX_FAILED_READS {
                    break;
                }
            }
        }
    }
    Some(extent.length_s()).filter(|length_s| *length_s > 0.0)
}
