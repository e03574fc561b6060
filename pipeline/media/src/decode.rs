//! One pass over a file: every packet is read once, and goes to the sound or to the pictures.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Error, Packet};
use hirenet_core::{Code, Reason, SAMPLE_RATE};

use crate::damage::Damage;
use crate::extent::Extent;
use crate::message::{Emit, Message, Stop};
use crate::picture::Picture;
use crate::sound::Sound;
use crate::streams::{Chosen, Plan, picture_reason, sound_reason};
use crate::types::{Event, Outcome, Probe, Request};
use crate::{MediaSettings, Refusal, input};

/// Failed reads in a row after which the rest of the file is given up.
pub(crate) const MAX_FAILED_READS: u32 = 200;
/// A recording that ends this much before the end that its header says was cut.
const CUT_S: f64 = 0.5;

/// What is said where one kind of stream gave nothing.
const NO_SOUND: &str = "None of its sound could be decoded.";
const NO_PICTURES: &str = "None of its pictures could be decoded.";

/// Decodes what is wanted, from the packets of `head` on, which are read already; every message goes through `emit`.
pub(crate) fn decode(
    input: &mut Input,
    plan: &Plan,
    head: &[Packet],
    probe: Probe,
    request: Request,
    settings: &MediaSettings,
    emit: &mut Emit<'_>,
) -> Result<(), Stop> {
    if plan.header.is_some_and(|header| header.least_s > settings.max_duration_s) {
        return Err(Refusal::plain(Code::LimitDuration).into());
    }
    let mut pass = Pass::open(input, plan, request, settings)?;
    emit(Message::Opened(Box::new(probe)))?;
    for packet in head {
        pass.feed(packet, emit)?;
    }
    pass.read_all(input, emit)?;
    let outcome = pass.finish()?;
    emit(Message::Event(Event::Ended(outcome)))
}

/// The state of one pass.
struct Pass<'a> {
    plan: &'a Plan,
    sound: Option<Sound>,
    picture: Option<Picture>,
    reasons: Vec<Reason>,
    extent: Extent<'a>,
    failed_reads: u64,
    limit_s: f64,
    /// False where the length alone is wanted.
    is_asked: bool,
}

impl<'a> Pass<'a> {
    fn open(input: &Input, plan: &'a Plan, request: Request, settings: &MediaSettings) -> Result<Self, Stop> {
        let mut reasons = plan.reasons(request.audio, request.video);
        let usable = |chosen: &'a Option<Chosen>, wanted: bool| {
            chosen.as_ref().filter(|chosen| wanted && chosen.unusable.is_none())
        };
        let unopened = |error: Error| {
            let code = if input::is_memory(error) { Code::LimitMemory } else { Code::CodecUnsupported };
            Refusal::plain(code)
        };
        let plausible_s = plan.last_plausible_s(settings);
        let mut sound = None;
        if let Some(chosen) = usable(&plan.audio, request.audio)
            && let Some(stream) = input.stream(chosen.index)
        {
            match Sound::open(stream.parameters(), chosen.time_base, plan.zero_s, plausible_s, settings) {
                Ok(opened) => sound = Some(opened),
                Err(error) => reasons.push(sound_reason(&unopened(error))),
            }
        }
        let mut picture = None;
        if let Some(chosen) = usable(&plan.video, request.video)
            && let Some(stream) = input.stream(chosen.index)
        {
            match Picture::open(stream.parameters(), chosen, plan.zero_s, settings) {
                Ok(opened) => picture = Some(opened),
                Err(error) => reasons.push(picture_reason(&unopened(error))),
            }
        }
        let is_asked = request.audio || request.video;
        if is_asked && sound.is_none() && picture.is_none() {
            let missing = || Refusal::plain(reasons.first().map_or(Code::DecodeFailed, |reason| reason.code));
            return Err(unusable(&reasons).unwrap_or_else(missing).into());
        }
        let (extent, limit_s) = (Extent::new(plan, settings), settings.max_duration_s);
        Ok(Pass { plan, sound, picture, reasons, extent, failed_reads: 0, limit_s, is_asked })
    }

    fn read_all(&mut self, input: &mut Input, emit: &mut Emit<'_>) -> Result<(), Stop> {
        let mut in_a_row = 0;
        loop {
            let mut packet = Packet::empty();
            match packet.read(input) {
                Ok(()) => {
                    in_a_row = 0;
                    self.feed(&packet, emit)?;
                }
                Err(Error::Eof) => break,
                Err(error) if input::is_memory(error) => return Err(Refusal::plain(Code::LimitMemory).into()),
                Err(_) => {
                    self.failed_reads += 1;
                    in_a_row += 1;
                    if in_a_row > MAX_FAILED_READS {
                        break;
                    }
                }
            }
        }
        if let Some(picture) = &mut self.picture {
            picture.feed(None, emit)?;
        }
        if let Some(sound) = &mut self.sound {
            sound.feed(None, emit)?;
        }
        Ok(())
    }

    fn feed(&mut self, packet: &Packet, emit: &mut Emit<'_>) -> Result<(), Stop> {
        self.extent.count(packet);
        if self.extent.length_s() > self.limit_s {
            return Err(Refusal::plain(Code::LimitDuration).into());
        }
        let is = |chosen: &Option<Chosen>| chosen.as_ref().is_some_and(|chosen| chosen.index == packet.stream());
        match (&mut self.sound, &mut self.picture) {
            (Some(sound), _) if is(&self.plan.audio) => sound.feed(Some(packet), emit),
            (_, Some(picture)) if is(&self.plan.video) => picture.feed(Some(packet), emit),
            _ => Ok(()),
        }
    }

    fn finish(mut self) -> Result<Outcome, Stop> {
        let samples = self.sound.as_ref().map_or(0, Sound::samples);
        let frames = self.picture.as_ref().map_or(0, |picture| picture.frames);
        if let Some(reason) = self.picture.as_mut().and_then(|picture| picture.stopped.take()) {
            self.reasons.push(reason);
        }
        if self.is_asked && samples == 0 && frames == 0 {
            return Err(unusable(&self.reasons).unwrap_or_else(|| self.nothing()).into());
        }
        if self.sound.is_some() && samples == 0 {
            self.reasons.push(sound_reason(&Refusal::new(Code::DecodeFailed, NO_SOUND)));
        }
        if self.picture.is_some() && frames == 0 && self.reasons.iter().all(|reason| reason.modality.is_none()) {
            self.reasons.push(picture_reason(&Refusal::new(Code::DecodeFailed, NO_PICTURES)));
        }
        let audio_s = samples as f64 / f64::from(SAMPLE_RATE);
        let video_s = self.picture.as_ref().map_or(0.0, |picture| picture.end_s);
        let duration_s = self.extent.length_s();
        self.reasons.extend(self.truncation(audio_s, video_s, duration_s));
        Ok(Outcome { duration_s, samples, frames, reasons: self.reasons })
    }

    /// The refusal where nothing came out, in words about what was tried.
    fn nothing(&self) -> Refusal {
        match (&self.sound, &self.picture) {
            (Some(_), None) => Refusal::new(Code::DecodeFailed, NO_SOUND),
            (None, Some(_)) => Refusal::new(Code::DecodeFailed, NO_PICTURES),
            _ => Refusal::plain(Code::DecodeFailed),
        }
    }

    /// The reason for a recording that ends early or is damaged.
    fn truncation(&self, audio_s: f64, video_s: f64, duration_s: f64) -> Option<Reason> {
        let reason = |detail| Some(Reason::new(Code::DecodeTruncated).detail(detail));
        let ends = |chosen: &Option<Chosen>, decoded: bool, end_s: f64| {
            let chosen = chosen.as_ref().filter(|_| decoded)?;
            let said = chosen.start_s.unwrap_or(self.plan.zero_s) - self.plan.zero_s + chosen.duration_s?;
            (end_s + CUT_S < said).then_some((end_s, said))
        };
        let least = self.plan.header.map(|header| header.least_s);
        let whole = least.filter(|said| duration_s + CUT_S < *said).map(|said| (duration_s, said));
        let cut = whole
            .or_else(|| ends(&self.plan.audio, self.sound.is_some(), audio_s))
            .or_else(|| ends(&self.plan.video, self.picture.is_some(), video_s));
        if let Some((end_s, said)) = cut {
            return reason(format!(
                "The recording ends at {end_s:.1} s of {said:.1} s; what could be decoded is used."
            ));
        }
        let damage: Vec<&Damage> = [self.sound.as_ref().map(|s| &s.damage), self.picture.as_ref().map(|p| &p.damage)]
            .into_iter()
            .flatten()
            .collect();
        let errors: u64 = damage.iter().map(|damage| damage.count()).sum::<u64>() + self.failed_reads;
        let packets: u64 = damage.iter().map(|damage| damage.packets).sum();
        if errors == 0 {
            return None;
        }
        reason(format!("The recording is damaged in {errors} of {packets} places; what could be decoded is used."))
    }
}

/// The refusal by the first reason about something that is there and cannot be used.
fn unusable(reasons: &[Reason]) -> Option<Refusal> {
    let found = reasons.iter().find(|reason| !matches!(reason.code, Code::NoAudio | Code::NoVideo));
    found.map(|reason| Refusal::new(reason.code, &reason.detail))
}
