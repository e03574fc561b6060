//! Containers, codecs and shapes of pictures and sound.

use std::path::Path;
use std::process::Command;

use hirenet_core::{Code, Frame};
use hirenet_media::{MediaSettings, StreamKind};

use crate::common::{BOTH, Clips, Decoded, codes, decode, describe, try_decode};

/// Two seconds of a moving pattern with a tone.
const SOURCE: &str = "-f lavfi -i testsrc2=size=320x240:rate=30:duration=2 -f lavfi -i sine=frequency=440:duration=2";
/// Seconds by which sound or pictures may be longer or shorter than two seconds: priming and padding of a packet.
const LENGTH_TOLERANCE_S: f64 = 0.08;
/// Mean difference of 8-bit values from what the `ffmpeg` program makes of the same picture.
const PIXEL_TOLERANCE: f64 = 2.0;

/// The first picture as the `ffmpeg` program shows it: upright, full size.
fn shown_by_ffmpeg(path: &Path) -> Vec<u8> {
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-map", "0:V:0", "-frames:v", "1", "-sws_flags", "bilinear", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn difference(frame: &Frame, expected: &[u8]) -> f64 {
    assert_eq!(frame.rgb.len(), expected.len());
    let sum: f64 = frame.rgb.iter().zip(expected).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / expected.len() as f64
}

fn assert_two_seconds(name: &str, decoded: &Decoded) {
    let audio_s = decoded.samples.len() as f64 / 16_000.0;
    assert!((audio_s - 2.0).abs() < LENGTH_TOLERANCE_S, "{name}: {audio_s} s of sound");
    assert!((decoded.outcome.duration_s - 2.0).abs() < LENGTH_TOLERANCE_S, "{name}: {}", decoded.outcome.duration_s);
    assert!((decoded.frames.len() as i64 - 20).abs() <= 1, "{name}: {} frames", decoded.frames.len());
    assert!(decoded.outcome.reasons.is_empty(), "{name}: {:?}", decoded.outcome.reasons);
    // A sine of amplitude 1/8.
    assert!((decoded.rms() - 0.125 / 2.0_f64.sqrt()).abs() < 0.01, "{name}: rms {}", decoded.rms());
}

#[test]
fn every_promised_format_decodes() {
    let clips = Clips::new();
    for (name, args) in [
        ("h264.mp4", "-c:v libx264 -preset ultrafast -c:a aac"),
        ("b_frames.mp4", "-c:v libx264 -preset medium -bf 3 -c:a aac"),
        ("ten_bit.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -c:a aac"),
        ("fragmented.mp4", "-c:v libx264 -preset ultrafast -g 15 -c:a aac -movflags frag_keyframe+empty_moov"),
        ("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac -tag:v hvc1"),
        (
            "hevc_ten_bit.mkv",
            "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le -c:a flac",
        ),
        ("vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 1M -c:a libopus"),
        ("live.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 1M -c:a libopus -live 1"),
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -c:a libopus"),
        ("av1.webm", "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 1M -c:a libopus"),
        ("pcm.mov", "-c:v libx264 -preset ultrafast -c:a pcm_s16be"),
        ("prores.mov", "-c:v prores_ks -c:a aac"),
        ("mpeg1.mpg", "-c:v mpeg1video -q:v 2 -c:a mp2"),
        ("mpeg2.ts", "-c:v mpeg2video -q:v 2 -c:a mp2"),
        ("h264.ts", "-c:v libx264 -preset ultrafast -c:a aac"),
        ("mpeg4.avi", "-c:v mpeg4 -q:v 2 -c:a libmp3lame"),
    ] {
        let path = clips.make(name, &format!("{SOURCE} {args}"));
        let decoded = decode(&path);
        assert_two_seconds(name, &decoded);
        let off = difference(&decoded.frames[0], &shown_by_ffmpeg(&path));
        assert!(off < PIXEL_TOLERANCE, "{name}: pixels differ by {off}");
        let probe = describe(&path).unwrap();
        let length = probe.duration_s.unwrap_or_else(|| panic!("{name} has no duration"));
        assert!((length - 2.0).abs() < LENGTH_TOLERANCE_S, "{name}: probed {length}");
        assert_eq!(probe.duration_measured, name == "live.webm", "{name}");
        assert!(probe.reasons.is_empty() && probe.streams.iter().all(|s| s.chosen), "{name}: {probe:?}");
    }
}

#[test]
fn sound_alone_decodes_in_every_form() {
    let clips = Clips::new();
    for (name, args) in [
        ("stereo.wav", "-ac 2 -ar 44100 -c:a pcm_s16le"),
        ("float.wav", "-ar 16000 -c:a pcm_f32le"),
        ("telephone.wav", "-ar 8000 -c:a pcm_alaw"),
        ("surround.flac", "-ac 6 -ar 48000"),
        ("surround.mp4", "-ac 6 -c:a aac"),
        ("music.mp3", "-ac 2 -c:a libmp3lame"),
        ("voice.ogg", "-c:a libopus"),
        ("vorbis.ogg", "-ac 2 -c:a libvorbis"),
        ("raw.aac", "-c:a aac"),
        ("memo.m4a", "-ac 1 -c:a aac"),
        ("memo.mka", "-ac 1 -c:a ac3"),
    ] {
        // The centre channel of 5.1 alone: a mono mix has it at its own level in relation to the others.
        let path = clips.make(name, &format!("-f lavfi -i sine=frequency=440:duration=2 {args}"));
        let decoded = decode(&path);
        let seconds = decoded.samples.len() as f64 / 16_000.0;
        assert!((seconds - 2.0).abs() < LENGTH_TOLERANCE_S, "{name}: {seconds}");
        assert!(decoded.rms() > 0.02, "{name}: {}", decoded.rms());
        assert_eq!(decoded.codes(), [Code::NoVideo], "{name}");
        assert!(decoded.frames.is_empty());
        let probe = describe(&path).unwrap();
        assert!((probe.duration_s.unwrap() - 2.0).abs() < LENGTH_TOLERANCE_S, "{name}: {:?}", probe.duration_s);
    }
}

#[test]
fn pictures_alone_decode() {
    let clips = Clips::new();
    let path =
        clips.make("silent.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -c:v libx264 -preset ultrafast");
    let decoded = decode(&path);
    assert_eq!((decoded.samples.len(), decoded.frames.len()), (0, 20));
    assert_eq!(decoded.codes(), [Code::NoAudio]);
    assert!((decoded.outcome.duration_s - 2.0).abs() < 0.001);
}

#[test]
fn one_picture_is_a_recording() {
    let clips = Clips::new();
    for (name, args) in [
        ("one.mp4", "-frames:v 1 -c:v libx264 -preset ultrafast"),
        ("one.webm", "-frames:v 1 -c:v libvpx -b:v 1M"),
        ("still.png", "-frames:v 1"),
        ("still.jpg", "-frames:v 1 -q:v 2"),
    ] {
        let decoded = decode(&clips.make(name, &format!("-f lavfi -i testsrc2=size=320x240:rate=25 {args}")));
        assert_eq!(decoded.frames.len(), 1, "{name}");
        assert!(decoded.outcome.duration_s > 0.0 && decoded.outcome.duration_s < 0.2, "{name}");
        assert_eq!(decoded.codes(), [Code::NoAudio], "{name}");
    }
}

#[test]
fn pictures_come_out_upright() {
    let clips = Clips::new();
    let stored = clips
        .make("stored.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=0.4 -c:v libx264 -preset ultrafast");
    for (name, matrix, turn) in
        [("r90.mp4", "90", (240, 320)), ("r180.mp4", "180", (320, 240)), ("r270.mp4", "270", (240, 320))]
    {
        let path = clips.make(name, &format!("-i {} -c copy -metadata:s:v rotate={matrix}", stored.display()));
        let decoded = decode(&path);
        let frame = &decoded.frames[0];
        assert_eq!((frame.width, frame.height, frame.full_width, frame.full_height), (turn.0, turn.1, turn.0, turn.1));
        assert!(difference(frame, &shown_by_ffmpeg(&path)) < PIXEL_TOLERANCE, "{name}");
        let video = decoded.probe.chosen(StreamKind::Video).unwrap().video.clone().unwrap();
        assert_eq!((video.width, video.height, video.upright_width, video.upright_height), (320, 240, turn.0, turn.1));
        assert_eq!(video.rotation_deg.to_string(), matrix);
    }
}

#[test]
fn odd_sizes_and_oblong_pixels_keep_their_shape() {
    let clips = Clips::new();
    let odd = "-f lavfi -i testsrc=size=161x121:rate=10:duration=0.5";
    for (name, args) in [("odd.webm", "-c:v libvpx -b:v 1M"), ("odd.mp4", "-c:v libx264 -pix_fmt yuv444p")] {
        let path = clips.make(name, &format!("{odd} {args}"));
        let decoded = decode(&path);
        assert_eq!((decoded.frames[0].width, decoded.frames[0].height), (161, 121), "{name}");
        assert!(difference(&decoded.frames[0], &shown_by_ffmpeg(&path)) < PIXEL_TOLERANCE, "{name}");
    }
    let wide =
        clips.make("wide.mp4", "-f lavfi -i testsrc2=size=720x576:rate=10:duration=0.5,setsar=64/45 -c:v libx264");
    let decoded = decode(&wide);
    let frame = &decoded.frames[0];
    assert_eq!((frame.full_width, frame.full_height, frame.width, frame.height), (1024, 576, 854, 480));
}

#[test]
fn frames_are_scaled_down_and_never_up() {
    let clips = Clips::new();
    let path = clips
        .make("tall.mp4", "-f lavfi -i testsrc2=size=1080x1920:rate=10:duration=0.3 -c:v libx264 -preset ultrafast");
    let frame = &decode(&path).frames[0];
    assert_eq!((frame.width, frame.height, frame.full_width, frame.full_height), (480, 854, 1080, 1920));
    let full = MediaSettings { frame_height: 0, ..MediaSettings::default() };
    let frame = &try_decode(&path, BOTH, &full).unwrap().frames[0];
    assert_eq!((frame.width, frame.height), (1080, 1920));
}

#[test]
fn colours_follow_matrix_and_range() {
    let clips = Clips::new();
    for (name, to, format, codec, tags) in [
        ("bt601.mp4", "out_color_matrix=bt601", "yuv444p", "-c:v libx264 -qp 2", "-colorspace smpte170m"),
        ("bt709.mp4", "out_color_matrix=bt709", "yuv420p", "-c:v libx264 -qp 2", "-colorspace bt709"),
        ("untagged.mp4", "out_color_matrix=bt601", "yuv420p", "-c:v libx264 -qp 2", ""),
        ("ten.mp4", "out_color_matrix=bt709", "yuv420p10le", "-c:v libx264 -qp 2", "-colorspace bt709"),
        (
            "full.mp4",
            "out_color_matrix=bt709:out_range=full",
            "yuv420p",
            "-c:v libx264 -qp 2",
            "-colorspace bt709 -color_range pc",
        ),
        ("jpeg.avi", "out_color_matrix=bt601:out_range=full", "yuvj420p", "-c:v mjpeg -q:v 1", ""),
    ] {
        let args = format!(
            "-f lavfi -i color=c=0xC08060:size=320x240:rate=10:duration=0.5,format=rgb24 \
             -vf scale={to},format={format} {codec} {tags}"
        );
        let path = clips.make(name, &args);
        for frame_height in [480, 100] {
            let settings = MediaSettings { frame_height, ..MediaSettings::default() };
            let frame = &try_decode(&path, BOTH, &settings).unwrap().frames[0];
            assert_eq!(frame.height, frame_height.min(240));
            let pixel: Vec<i32> = frame.rgb[..3].iter().map(|v| i32::from(*v)).collect();
            let near = pixel.iter().zip([0xC0, 0x80, 0x60]).all(|(a, b)| (a - b).abs() <= 4);
            assert!(near, "{name} at {frame_height}: {pixel:?}");
        }
    }
}

#[test]
fn the_default_audio_track_is_chosen() {
    let clips = Clips::new();
    let tracks = "-f lavfi -i sine=frequency=300:duration=2 -f lavfi -i sine=frequency=900:duration=2 -map 0 -map 1";
    for (name, codec) in [("tracks.mkv", "flac"), ("tracks.mp4", "aac")] {
        let args = format!("{tracks} -c:a {codec} -disposition:a:0 0 -disposition:a:1 default");
        let decoded = decode(&clips.make(name, &args));
        assert_eq!(decoded.probe.streams.iter().map(|s| s.chosen).collect::<Vec<_>>(), [false, true], "{name}");
        // A tone crosses zero upwards once a period.
        let rises = decoded.samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((1750..=1850).contains(&rises), "{name}: {rises}");
    }
}

#[test]
fn cover_art_is_no_video() {
    let clips = Clips::new();
    let cover = clips.make("cover.jpg", "-f lavfi -i testsrc2=size=200x200 -frames:v 1");
    let args = format!(
        "-f lavfi -i sine=duration=2 -i {} -map 0 -map 1 -c:a aac -c:v copy -disposition:v:0 attached_pic",
        cover.display()
    );
    let decoded = decode(&clips.make("song.m4a", &args));
    assert_eq!(decoded.codes(), [Code::NoVideo]);
    assert!(decoded.frames.is_empty());
    assert_eq!(decoded.probe.streams[1].kind, StreamKind::Picture);
}

#[test]
fn size_and_rate_may_change_in_mid_stream() {
    let clips = Clips::new();
    let part = |name: &str, size: &str, rate: u32, channels: u32, offset: u32| {
        clips.make(
            name,
            &format!(
                "-f lavfi -i testsrc2=size={size}:rate=25:duration=2 -f lavfi -i sine=frequency=440:duration=2 \
                 -c:v libx264 -preset ultrafast -c:a mp2 -ar {rate} -ac {channels} -output_ts_offset {offset}"
            ),
        )
    };
    let mut bytes = std::fs::read(part("a.ts", "320x240", 48_000, 2, 0)).unwrap();
    bytes.extend(std::fs::read(part("b.ts", "176x144", 44_100, 1, 2)).unwrap());
    let decoded = decode(&clips.write("joined.ts", bytes));
    assert!((decoded.samples.len() as i64 - 64_000).abs() < 2_000, "{}", decoded.samples.len());
    let sizes: Vec<(u32, u32)> = decoded.frames.iter().map(|f| (f.width, f.height)).collect();
    assert_eq!((sizes[0], sizes[sizes.len() - 1]), ((320, 240), (176, 144)));
    assert!((decoded.frames.len() as i64 - 40).abs() <= 2, "{}", decoded.frames.len());
}

#[test]
fn skipping_unused_pictures_changes_nothing() {
    let clips = Clips::new();
    let skipless = MediaSettings { skip_unused_pictures: false, ..MediaSettings::default() };
    for (name, args) in [
        ("h264.mp4", "-c:v libx264 -preset medium -bf 3"),
        ("vfr.mkv", "-vf select='not(mod(n,7))+gt(mod(n,11),5)' -vsync vfr -c:v libx264 -bf 4 -b_strategy 0"),
        ("hevc.mp4", "-c:v libx265 -preset fast -x265-params log-level=none"),
        ("mpeg1.mpg", "-c:v mpeg1video -bf 2"),
        ("vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 1M"),
    ] {
        let source = "-f lavfi -i testsrc2=size=160x120:rate=30:duration=6";
        let path = clips.make(name, &format!("{source} {args}"));
        let (with, without) = (decode(&path), try_decode(&path, BOTH, &skipless).unwrap());
        assert_eq!(with.frames, without.frames, "{name}");
        assert_eq!(with.outcome, without.outcome, "{name}");
    }
}

#[test]
fn a_probe_is_one_json_object() {
    let clips = Clips::new();
    let path = clips.make("clip.mp4", &format!("{SOURCE} -c:v libx264 -preset ultrafast -c:a aac"));
    let probe = describe(&path).unwrap();
    let json = serde_json::to_value(&probe).unwrap();
    assert_eq!(json["streams"][0]["kind"], "video");
    assert_eq!(json["streams"][0]["width"], 320);
    assert_eq!(json["streams"][1]["sample_rate"], 44_100);
    assert_eq!(json["streams"][1]["layout"], "mono");
    assert_eq!(json["bytes"], std::fs::metadata(&path).unwrap().len());
    assert_eq!(serde_json::from_value::<hirenet_media::Probe>(json).unwrap(), probe);
    assert!(codes(&probe.reasons).is_empty());
}
