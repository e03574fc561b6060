//! Pictures of one stream as analysis frames.

use ffmpeg_next::codec::threading;
use ffmpeg_next::util::frame;
use ffmpeg_next::{Discard, Error, Packet, codec, decoder};
use hirenet_core::{Code, Reason};

use crate::damage::{Damage, is_dry};
use crate::grid::Grid;
use crate::message::{Emit, Message, Stop};
use crate::scale::Scaler;
use crate::streams::{Chosen, packet_end, picture_reason, seconds, too_large};
use crate::types::Event;
use crate::{MediaSettings, Refusal, ffi};

/// Length of a picture where nothing says it.
pub(crate) const USUAL_FRAME_S: f64 = 1.0 / 25.0;

/// Decodes one video stream.
pub(crate) struct Picture {
    decoder: decoder::Video,
    chosen: Chosen,
    zero_s: f64,
    settings: MediaSettings,
    grid: Grid,
    scaler: Scaler,
    /// End of the last picture in seconds since media time zero.
    pub(crate) end_s: f64,
    /// Number of analysed frames.
    pub(crate) frames: u64,
    /// Why decoding of this stream stopped before its end.
    pub(crate) stopped: Option<Reason>,
    pub(crate) damage: Damage,
}

impl Picture {
    /// A decoder of one stream.
    pub(crate) fn open(
        parameters: codec::Parameters,
        chosen: &Chosen,
        zero_s: f64,
        settings: &MediaSettings,
    ) -> Result<Self, Error> {
        let mut context = codec::Context::from_parameters(parameters)?;
        context.set_threading(threading::Config {
            kind: threading::Type::Frame,
            count: settings.decode_threads.max(1),
            ..Default::default()
        });
        ffi::limit_pixels(&mut context, settings.max_pixels);
        let mut context = context.decoder();
        context.set_packet_time_base(chosen.time_base);
        Ok(Picture {
            decoder: context.video()?,
            chosen: chosen.clone(),
            zero_s,
            settings: settings.clone(),
            grid: Grid::new(settings.analysis_fps),
            scaler: Scaler::new(settings.frame_height, chosen.upright),
            end_s: 0.0,
            frames: 0,
            stopped: None,
            damage: Damage::default(),
        })
    }

    /// Decodes a packet; `None` at the end of the file.
    pub(crate) fn feed(&mut self, packet: Option<&Packet>, emit: &mut Emit<'_>) -> Result<(), Stop> {
        if self.stopped.is_some() {
            return Ok(());
        }
        let sent = match packet {
            Some(packet) => {
                self.damage.packets += 1;
                self.skip_unused(packet);
                self.decoder.send_packet(packet)
            }
            None => self.decoder.send_eof(),
        };
        if let Err(error) = sent {
            self.damage.failed(error)?;
        }
        let mut decoded = frame::Video::empty();
        while self.stopped.is_none() {
            match self.decoder.receive_frame(&mut decoded) {
                Ok(()) => self.take(&decoded, emit)?,
                Err(error) if is_dry(error) => break,
                Err(error) => {
                    self.damage.failed(error)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Tells the decoder to skip a packet whose picture is certainly not analysed, provided that no other picture
    /// refers to it (the decoder knows). What is analysed stays the same to the bit.
    fn skip_unused(&mut self, packet: &Packet) {
        let time_s = seconds(packet.pts(), self.chosen.time_base).map(|time_s| time_s - self.zero_s);
        let unused = self.settings.skip_unused_pictures
            && time_s.is_some_and(|time_s| time_s >= 0.0 && self.grid.is_unused(time_s));
        self.decoder.skip_frame(if unused { Discard::NonReference } else { Discard::Default });
        if unused && let Some(end_s) = packet_end(packet, self.chosen.time_base) {
            self.end_s = self.end_s.max(end_s - self.zero_s);
        }
    }

    fn take(&mut self, decoded: &frame::Video, emit: &mut Emit<'_>) -> Result<(), Stop> {
        let (width, height) = (decoded.width(), decoded.height());
        if u64::from(width) * u64::from(height) > self.settings.max_pixels {
            self.stopped = Some(picture_reason(&too_large(width, height, &self.settings)));
            return Ok(());
        }
        if decoded.is_corrupt() || decoded.has_decode_errors() {
            self.damage.concealed();
        } else {
            self.damage.decoded();
        }
        let base = self.chosen.time_base;
        let shown_s = seconds(decoded.timestamp(), base).map_or(self.end_s, |time_s| time_s - self.zero_s);
        let time_s = shown_s.max(0.0);
        if time_s > self.settings.max_duration_s {
            return Err(Refusal::plain(Code::LimitDuration).into());
        }
        let length = seconds(Some(decoded.packet().duration), base).filter(|length| *length > 0.0);
        self.end_s = self.end_s.max(time_s + length.or(self.chosen.frame_s).unwrap_or(USUAL_FRAME_S));
        if !self.grid.keep(time_s) {
            return Ok(());
        }
        match self.scaler.frame(decoded, time_s) {
            Ok(frame) => {
                self.frames += 1;
                emit(Message::Event(Event::Frame(frame)))
            }
            Err(error) => Ok(self.damage.failed(error)?),
        }
    }
}
