//! Videos whose tables are whole and whose sound and pictures are not: what the decoders are fed may be anything.

mod common;

use common::{Dice, alone};
use latentlink_media::Media;

const ROUNDS: usize = 1_000;

/// A video of a second that ffmpeg codes, and where its packets lie; none if there is no ffmpeg.
fn video(test: &str, codecs: &[&str]) -> Option<(Vec<u8>, std::ops::Range<usize>)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    let pictures = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1"];
    let sound = ["-f", "lavfi", "-i", "aevalsrc=0.5*sin(2*PI*(200+900*t)*t)|0.3*random(0):s=44100:d=1"];
    common::ffmpeg(test, &[&pictures[..], &sound, codecs, &[path.to_str().unwrap()]].concat())?;
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"mdat").unwrap();
    let size = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
    Some((bytes, at + 4..at - 4 + size))
}

/// Changes some of the packets' bytes and decodes all; how many rounds of so many gave an error.
fn damage(test: &str, codecs: &[&str], rounds: usize, decode: impl Fn(&Media) -> bool) {
    let Some((whole, packets)) = video(test, codecs) else { return };
    let mut dice = Dice(0xC0DE_C5ED_0000_0003);
    let mut failed = 0;
    for _ in 0..rounds {
        let mut bytes = whole.clone();
        for _ in 0..=dice.below(20) {
            let at = packets.start + dice.below(packets.len());
            match dice.below(3) {
                0 => bytes[at] ^= 1 << dice.below(8),
                1 => bytes[at] = dice.below(256) as u8,
                _ => {
                    let end = (at + dice.below(64)).min(packets.end);
                    bytes[at..end].fill([0, 0xFF][dice.below(2)]);
                }
            }
        }
        failed += usize::from(!decode(&Media::from_bytes(bytes, &alone()).unwrap()));
    }
    println!("{test}: {failed} of {rounds} rounds end in an error");
}

#[test]
fn damaged_aac_does_not_panic() {
    let codecs = ["-c:v", "mpeg4", "-c:a", "aac", "-b:a", "96k"];
    damage("damaged_aac_does_not_panic", &codecs, ROUNDS, |media| media.audio().is_ok());
}

#[test]
fn damaged_mpeg_audio_does_not_panic() {
    for codec in ["libmp3lame", "mp2"] {
        let codecs = ["-c:v", "mpeg4", "-c:a", codec, "-b:a", "96k"];
        damage("damaged_mpeg_audio_does_not_panic", &codecs, ROUNDS, |media| media.audio().is_ok());
    }
}

#[cfg(feature = "video")]
#[test]
fn damaged_pictures_do_not_panic() {
    let codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "2", "-c:a", "aac"];
    let decode = |media: &Media| media.frames(25.0).is_ok_and(|mut frames| frames.all(|f| f.is_ok()));
    damage("damaged_pictures_do_not_panic", &codecs, ROUNDS, decode);
}
