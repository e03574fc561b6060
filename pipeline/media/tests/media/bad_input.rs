//! Each bad file has its code.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use hirenet_core::{Code, Coded, Modality};
use hirenet_media::{MediaSettings, Request};

use crate::common::{BOTH, Clips, codes, decode, describe, refusal, try_decode};

const SOURCE: &str = "-f lavfi -i testsrc2=size=160x120:rate=25:duration=4 -f lavfi -i sine=frequency=440:duration=4";

fn mp4(clips: &Clips, name: &str, flags: &str) -> PathBuf {
    clips.make(name, &format!("{SOURCE} -c:v libx264 -preset ultrafast -c:a aac {flags}"))
}

fn cut(clips: &Clips, name: &str, whole: &std::path::Path, share: f64) -> PathBuf {
    let bytes = std::fs::read(whole).unwrap();
    clips.write(name, &bytes[..(bytes.len() as f64 * share) as usize])
}

#[test]
fn what_is_no_plain_file_is_not_opened() {
    let clips = Clips::new();
    assert_eq!(refusal(&clips.path("missing.mp4")), Code::FileMissing);
    assert_eq!(refusal(&clips.write("empty.mp4", "")), Code::FileEmpty);
    let folder = clips.path("folder.mp4");
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(refusal(&folder), Code::FileUnreadable);
    assert_eq!(refusal(std::path::Path::new("/dev/zero")), Code::FileUnreadable);
    let socket = clips.path("socket.mp4");
    let _listener = UnixListener::bind(&socket).unwrap();
    assert_eq!(refusal(&socket), Code::FileUnreadable);
    assert_eq!(describe(&clips.path("missing.mp4")).unwrap_err().code(), Code::FileMissing);
}

#[test]
fn a_pipe_without_a_writer_is_not_waited_for() {
    let clips = Clips::new();
    let pipe = clips.path("pipe.mp4");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(refusal(&pipe), Code::FileUnreadable);
}

#[test]
fn what_is_no_container_is_not_media() {
    let clips = Clips::new();
    let noise: Vec<u8> = (0..50_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (name, content) in [
        ("text.mp4", b"Dear candidate, thank you for your application.\n".repeat(100)),
        ("page.mp4", b"<html><body>404</body></html>".to_vec()),
        ("zeros.mp4", vec![0; 100_000]),
        ("noise.mp4", noise),
        ("subtitles.mp4", b"1\n00:00:00,000 --> 00:00:02,000\nHello\n\n".repeat(20)),
    ] {
        assert_eq!(refusal(&clips.write(name, content)), Code::NotMedia, "{name}");
    }
}

#[test]
fn playlists_and_scripts_are_refused_and_open_nothing() {
    let clips = Clips::new();
    let secret = mp4(&clips, "secret.mp4", "");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (file, port) = (secret.display(), listener.local_addr().unwrap().port());
    for (name, text) in [
        ("hls.mp4", format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{file}\n#EXT-X-ENDLIST\n")),
        ("net.m3u8", format!("#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n")),
        ("concat.mp4", format!("ffconcat version 1.0\nfile '{file}'\n")),
        ("script.mp4", format!("file '{file}'\nfile '{file}'\n")),
        ("address.mp4", format!("http://127.0.0.1:{port}/a.mp4\n")),
        ("dash.mp4", format!("<?xml version=\"1.0\"?>\n<MPD><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>")),
    ] {
        let path = clips.write(name, text);
        assert_eq!(refusal(&path), Code::PlaylistRefused, "{name}");
        assert_eq!(describe(&path).unwrap_err().code(), Code::PlaylistRefused, "{name}");
    }
    assert!(listener.accept().is_err(), "somebody called");
}

#[test]
fn an_mp4_without_its_index_says_so() {
    let clips = Clips::new();
    let whole = mp4(&clips, "whole.mp4", "");
    for share in [0.5, 0.9] {
        assert_eq!(refusal(&cut(&clips, "cut.mp4", &whole, share)), Code::NoIndex);
    }
    let start = std::fs::read(&whole).unwrap();
    assert_eq!(refusal(&clips.write("start.mp4", &start[..40])), Code::NoIndex);
    let front = mp4(&clips, "front.mp4", "-movflags +faststart");
    let index = std::fs::read(&front).unwrap();
    assert_eq!(refusal(&clips.write("index.mp4", &index[..1000])), Code::NoIndex);
}

#[test]
fn a_stream_that_gives_nothing_is_named() {
    let clips = Clips::new();
    let noise = |name: &str, filters: &str| {
        clips.make(name, &format!("{SOURCE} -c:v libx264 -preset ultrafast -c:a flac {filters}"))
    };
    // Every byte of every packet is another.
    let deaf = noise("deaf.mkv", "-bsf:a noise=amount=1");
    let blind = noise("blind.mkv", "-bsf:v noise=amount=1");
    let neither = noise("neither.mkv", "-bsf:a noise=amount=1 -bsf:v noise=amount=1");
    let (sound, pictures) = ("None of its sound could be decoded.", "None of its pictures could be decoded.");
    for (clip, modality, told) in [(&deaf, None, sound), (&blind, Some(Modality::Visual), pictures)] {
        let reasons = decode(clip).outcome.reasons;
        let failed = reasons.iter().find(|reason| reason.code == Code::DecodeFailed).unwrap();
        assert_eq!((failed.modality, failed.detail.as_str()), (modality, told), "{reasons:?}");
    }
    let refused = |clip, audio, video| {
        let error = try_decode(clip, Request { audio, video }, &MediaSettings::default()).unwrap_err();
        assert_eq!(error.code(), Code::DecodeFailed);
        error.to_string()
    };
    assert_eq!(refused(&deaf, true, false), sound);
    assert_eq!(refused(&blind, false, true), pictures);
    assert_eq!(refused(&neither, true, true), Code::DecodeFailed.meaning());
}

#[test]
fn what_decodes_before_a_cut_is_kept() {
    let clips = Clips::new();
    for (name, flags) in [("cut.mp4", "-g 10 -movflags +faststart"), ("cut.mkv", "-g 10"), ("cut.webm", "")] {
        let whole = if name == "cut.webm" {
            clips.make("whole.webm", &format!("{SOURCE} -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus"))
        } else {
            mp4(&clips, &format!("whole_{name}"), flags)
        };
        let decoded = decode(&cut(&clips, name, &whole, 0.6));
        assert_eq!(decoded.codes(), [Code::DecodeTruncated], "{name}");
        let duration_s = decoded.outcome.duration_s;
        assert!((1.5..3.5).contains(&duration_s), "{name}: {duration_s}");
        assert!(decoded.samples.len() > 20_000 && decoded.frames.len() >= 14, "{name}");
        let complete = decode(&whole);
        assert_eq!(decoded.frames[..10], complete.frames[..10], "{name}");
    }
}

#[test]
fn a_file_cut_anywhere_ends_in_a_result_or_a_code() {
    let clips = Clips::new();
    let fragmented = mp4(&clips, "fragmented.mp4", "-movflags frag_keyframe+empty_moov");
    let webm = clips.make("whole.webm", "-f lavfi -i testsrc2=size=64x48:rate=10:duration=1 -c:v libvpx");
    let front = mp4(&clips, "front.mp4", "-movflags +faststart");
    for whole in [fragmented, webm, front] {
        let bytes = std::fs::read(&whole).unwrap();
        for step in 1..12 {
            let path = clips.write("piece", &bytes[..bytes.len() * step / 12]);
            match try_decode(&path, BOTH, &MediaSettings::default()) {
                Ok(decoded) => assert!(decoded.outcome.duration_s.is_finite()),
                Err(error) => assert!(
                    matches!(error.code(), Code::NoIndex | Code::NotMedia | Code::NoStreams | Code::DecodeFailed),
                    "{} at {step}: {error}",
                    whole.display()
                ),
            }
        }
    }
}

#[test]
fn bit_errors_are_counted_and_survived() {
    let clips = Clips::new();
    let whole = mp4(&clips, "whole.mp4", "-g 10");
    let args = format!("-i {} -c copy -bsf:v noise=amount=2000 -bsf:a noise=amount=4000", whole.display());
    let decoded = decode(&clips.make("noise.mp4", &args));
    assert!(decoded.codes().contains(&Code::DecodeTruncated), "{:?}", decoded.outcome);
    assert!(!decoded.samples.is_empty() && !decoded.frames.is_empty());
    assert!(decoded.samples.iter().all(|sample| sample.is_finite()));
}

#[test]
fn a_container_with_neither_sound_nor_picture_is_refused() {
    let clips = Clips::new();
    clips.write("words.srt", "1\n00:00:00,000 --> 00:00:02,000\nHello\n");
    let path = clips.make("words.mkv", "-i words.srt");
    assert_eq!(refusal(&path), Code::NoStreams);
    assert_eq!(describe(&path).unwrap_err().code(), Code::NoStreams);
}

#[test]
fn a_missing_kind_is_a_reason_and_alone_a_refusal() {
    let clips = Clips::new();
    let sound = clips.make("sound.m4a", "-f lavfi -i sine=duration=1 -c:a aac");
    let probe = describe(&sound).unwrap();
    assert_eq!(codes(&probe.reasons), [Code::NoVideo]);
    let error = try_decode(&sound, Request { audio: false, video: true }, &MediaSettings::default()).unwrap_err();
    assert_eq!(error.code(), Code::NoVideo);
    let sound_only = try_decode(&sound, Request { audio: true, video: false }, &MediaSettings::default()).unwrap();
    assert_eq!(sound_only.codes(), []);
}

#[test]
fn a_format_outside_of_the_list_is_described_and_not_decoded() {
    let clips = Clips::new();
    let path = clips.make("rare.mkv", &format!("{SOURCE} -c:v huffyuv -c:a aac"));
    assert_eq!(codes(&describe(&path).unwrap().reasons), [Code::CodecUnsupported]);
    let decoded = decode(&path);
    assert_eq!(decoded.codes(), [Code::CodecUnsupported]);
    assert!(decoded.frames.is_empty() && decoded.samples.len() > 60_000);
    let alone = clips.make("alone.mkv", "-f lavfi -i testsrc2=duration=0.4 -c:v huffyuv");
    assert_eq!(refusal(&alone), Code::CodecUnsupported);
    assert!(describe(&alone).is_ok());
}

#[test]
fn encrypted_files_are_known() {
    let clips = Clips::new();
    let key = "-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb \
               -encryption_kid a7e61c373e219033c21091fa607bf3b8";
    let path = mp4(&clips, "locked.mp4", key);
    assert_eq!(refusal(&path), Code::Encrypted);
    assert_eq!(codes(&describe(&path).unwrap().reasons), [Code::Encrypted, Code::Encrypted]);
}

#[test]
fn silence_and_black_pictures_are_media() {
    let clips = Clips::new();
    let args = "-f lavfi -i color=c=black:size=160x120:rate=25:duration=2 -f lavfi -i anullsrc=r=48000:cl=mono -t 2 -c:v libx264 -c:a aac";
    let decoded = decode(&clips.make("silence.mp4", args));
    assert_eq!(decoded.codes(), []);
    assert!(decoded.rms() < 1e-4 && decoded.frames.len() == 20);
}
