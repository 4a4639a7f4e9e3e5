//! Memory that files with much in them take: a test by itself, for it looks at the whole process.

mod common;

use std::path::Path;

use common::{Video, alone};
use latentlink_media::Media;

/// Largest memory that this process has had, in MiB, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1_024)
}

/// Minutes of one picture, by its tables; none if there is no ffmpeg.
fn still(test: &str, folder: &Path) -> Option<Vec<u8>> {
    let path = folder.join("still.mp4");
    let source = ["-f", "lavfi", "-i", "color=c=red:size=1280x720:rate=1:duration=1"];
    let codec = ["-c:v", "libx264", "-pix_fmt", "yuv420p", path.to_str().unwrap()];
    common::ffmpeg(test, &[&source[..], &codec].concat())?;
    let mut bytes = std::fs::read(path).unwrap();
    let at = |bytes: &[u8], kind: &[u8; 4]| bytes.windows(4).position(|w| w == kind).unwrap() + 4;
    // The clock of the track runs at about 1/500 of its pace, and so no edit may end it.
    let clock = at(&bytes, b"mdhd") + 12;
    let ticks = u32::from_be_bytes(bytes[clock..clock + 4].try_into().unwrap());
    let slow = ticks / 500;
    assert!(slow > 1, "{ticks} ticks a second");
    bytes[clock..clock + 4].copy_from_slice(&slow.to_be_bytes());
    let edits = at(&bytes, b"edts");
    bytes[edits - 4..edits].copy_from_slice(b"free");
    Some(bytes)
}

#[test]
fn memory_stays_within_bounds() {
    let test = "memory_stays_within_bounds";
    let Some(before) = peak_mib() else {
        eprintln!("skipped: {test} needs /proc");
        return;
    };
    // A gibibyte of sound in 600 KB, by tables that tell nothing of it.
    let video = Video { announced: 250_000, held: 250_000, ticks: 0, ..Video::default() };
    let limits = latentlink_media::Limits { seconds: 60.0, ..alone() };
    assert!(Media::from_bytes(video.bytes(), &limits).unwrap().audio().is_err());
    let sound = peak_mib().unwrap_or_default();
    println!("sound: from {before} to {sound} MiB");
    assert!(sound < before + 100, "{before} to {sound} MiB");
    if cfg!(feature = "video") {
        let folder = tempfile::tempdir().unwrap();
        let Some(video) = still(test, folder.path()) else { return };
        let media = Media::from_bytes(video, &alone()).unwrap();
        // 150 GiB if all frames of that picture were made at once.
        let mut frames = media.frames(120.0).unwrap();
        assert_eq!(frames.by_ref().take(500).filter(|f| f.as_ref().is_ok_and(|f| f.width == 1_280)).count(), 500);
        let pictures = peak_mib().unwrap_or_default();
        println!("pictures: from {sound} to {pictures} MiB");
        assert!(pictures < sound + 200, "{sound} to {pictures} MiB");
    }
}
