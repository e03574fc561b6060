"""Small recordings whose content is known: a sound in a video, a clap, sounds without words."""

from dataclasses import dataclass

from clip import ffmpeg
from program import SHARED

PORTRAIT = SHARED / "media/astronaut.png"
TONE_HZ = 1000
SIDE = 128  # pixels of a clap's picture


def with_picture(sound, out, audio_codec="flac"):
    """The sound in an MP4 beside a small still picture. FLAC keeps every sample."""
    picture = ("-loop", 1, "-framerate", 5, "-i", PORTRAIT)
    codecs = ("-vf", "scale=128:128,format=yuv420p", "-c:v", "libx264", "-preset", "ultrafast")
    ffmpeg(*picture, "-i", sound, *codecs, "-c:a", audio_codec, "-strict", "experimental", "-shortest", out)
    return out


def sampled(video, out, fps=5):
    """The frames that ffmpeg's `fps` filter keeps, upright, without loss."""
    ffmpeg("-i", video, "-an", "-vf", f"fps={fps},format=yuv420p", "-c:v", "ffv1", out)
    return out


def changed(video, out, filters, encoder=("ffv1",)):
    """The video under ffmpeg filters, without sound, without loss but the encoder's."""
    ffmpeg("-i", video, "-an", "-vf", filters, "-c:v", *encoder, out)
    return out


def still(out, seconds=4):
    """A photograph with a camera's noise."""
    noise = "noise=alls=6:allf=t:all_seed=1,format=yuv420p"
    ffmpeg("-loop", 1, "-framerate", 10, "-i", PORTRAIT, "-t", seconds, "-vf", noise, "-c:v", "libx264", out)
    return out


@dataclass
class Clap:
    """A picture that turns from black to a face, and a tone that begins, both at `time_s` of the recording."""

    name: str
    rate: str
    time_s: float
    seconds: float
    audio_late_s: float = 0
    kept: str = ""  # ffmpeg's expression for the frames kept, where the frame rate varies
    cut_s: float = 0  # cut off without re-encoding, between key frames: the container's edit list hides the rest

    @property
    def shown_s(self):
        """When the clap is to be seen and heard."""
        return self.time_s - self.cut_s

    def make(self, folder):
        whole = self.make_whole(folder)
        if not self.cut_s:
            return whole
        out = folder / f"clap-{self.name}-cut.mp4"
        ffmpeg("-ss", self.cut_s, "-i", whole, "-c", "copy", out)
        return out

    def make_whole(self, folder):
        out = folder / f"clap-{self.name}.mp4"
        half_frame_s = 0.01  # so that rounding decides for no frame
        shown = f"overlay=enable='gte(t,{self.time_s - half_frame_s})':eof_action=repeat"
        kept = f",select='{self.kept}'" if self.kept else ""
        black = f"color=black:s={SIDE}x{SIDE}:r={self.rate}:d={self.seconds}"
        picture = f"[1:v]scale={SIDE}:{SIDE}[face];[0:v][face]{shown}{kept},format=yuv420p[v]"
        begins_s = self.time_s - self.audio_late_s
        tone = f"aevalsrc=0.5*sin(2*PI*{TONE_HZ}*t)*gte(t\\,{begins_s}):s=48000:d={self.seconds - self.audio_late_s}"
        pictures = ("-f", "lavfi", "-i", black, "-i", PORTRAIT)
        sources = (*pictures, "-itsoffset", self.audio_late_s, "-f", "lavfi", "-i", tone)
        codecs = ("-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-g", 250, "-c:a", "aac")
        ffmpeg(*sources, "-filter_complex", picture, "-map", "[v]", "-map", "2:a", *codecs, out)
        return out


def wordless(folder, seconds=60):
    """Sounds in which nobody says anything, by name."""
    melody = "0.2*(sin(2*PI*262*t)*lt(mod(t,3),1)+sin(2*PI*330*t)*between(mod(t,3),1,2)+sin(2*PI*392*t)*gt(mod(t,3),2))"
    sources = {
        "silence": f"anullsrc=r=16000:cl=mono:d={seconds}",
        "noise": f"anoisesrc=r=16000:d={seconds}:a=0.1:seed=1",
        "tones": f"aevalsrc={melody.replace(',', chr(92) + ',')}:s=16000:d={seconds}",
    }
    for name, source in sources.items():
        out = folder / f"wordless-{name}.wav"
        ffmpeg("-f", "lavfi", "-i", source, out)
        yield out


def muted(answer, out):
    """A recorded answer whose microphone was off."""
    ffmpeg("-i", answer, "-c:v", "copy", "-af", "volume=0", "-c:a", "aac", out)
    return out
