//! What FFmpeg may use: an allow-list of demuxers and decoders, and no protocol at all.
//!
//! Every demuxer here reads one file through the descriptor it is given. None opens another file, an address, a device
//! or a numbered series of files; playlists and scripts (`hls`, `dash`, `concat`, `ism`, `sdp`, ...) are therefore absent.

/// Demuxers by FFmpeg's names, comma-separated.
///
/// Phones and browsers write `mov`, `matroska` (WebM) and `ogg`; cameras and older recorders `mpeg`, `mpegts`, `avi`;
/// sound alone comes as `wav`, `flac`, `mp3`, `aac`; a still picture as `png_pipe` or `jpeg_pipe` (one file, by content).
pub(crate) const DEMUXERS: &str =
    "mov,matroska,webm,ogg,mpeg,mpegvideo,mpegts,avi,wav,w64,flac,mp3,aac,png_pipe,jpeg_pipe";

/// Decoders by FFmpeg's names, comma-separated: what such containers hold in practice.
pub(crate) const DECODERS: &str = "h264,hevc,vp8,vp9,libdav1d,libaom-av1,av1,mpeg1video,mpeg2video,mpeg4,h263,theora,\
mjpeg,png,prores,rawvideo,ffv1,\
aac,aac_latm,opus,libopus,vorbis,flac,alac,mp1float,mp2float,mp2,mp3float,mp3,ac3,eac3,amrnb,amrwb,libopencore_amrnb,\
libopencore_amrwb,adpcm_ima_wav,adpcm_ms,adpcm_ima_qt,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,\
pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,pcm_dvd,pcm_bluray";

/// True where this decoder may run.
pub(crate) fn decoder(name: &str) -> bool {
    DECODERS.split(',').any(|allowed| allowed == name)
}
