//! Files that come in memory, in pieces, and go to other threads.

mod common;

use common::{Video, alone};
use latentlink_media::{Error, Frames, Limits, Media};

fn movable<T: Send + 'static>() {}

#[test]
fn a_clone_is_the_same_file_on_any_thread() {
    movable::<Media>();
    movable::<Frames>();
    let video = Video::default().bytes();
    let media = Media::from_bytes(video.clone(), &alone()).unwrap();
    let whole = Media::from_bytes(video, &alone()).unwrap().audio().unwrap();
    let again = media.clone();
    assert_eq!(std::thread::spawn(move || again.audio().unwrap()).join().unwrap(), whole);
    assert_eq!(media.audio().unwrap(), whole);
}

#[test]
fn a_file_too_large_or_empty_is_refused() {
    let limits = Limits { bytes: 10, ..alone() };
    assert!(Media::from_bytes(vec![0; 10], &limits).is_ok());
    let error = Media::from_bytes(vec![0; 11], &limits).unwrap_err();
    assert_eq!(error.to_string(), "the file has more than 10 bytes, the limit");
    assert!(matches!(Media::from_bytes(Vec::new(), &alone()), Err(Error::Empty)));
}

/// Sound and frames of one video at once, its bytes nowhere else.
#[cfg(feature = "video")]
#[test]
fn sound_and_frames_come_out_of_one_video_side_by_side() {
    let Some(shared) = common::shared("sound_and_frames_come_out_of_one_film_side_by_side") else { return };
    let path = shared.join("media/mp3-in-mp4.mp4");
    let media = Media::from_bytes(std::fs::read(&path).unwrap(), &alone()).unwrap();
    let (frames, sound) = (media.frames(5.0).unwrap(), media.clone());
    drop(media);
    let frames = std::thread::spawn(move || frames.collect::<Result<Vec<_>, _>>().unwrap());
    let audio = sound.audio().unwrap();
    let frames = frames.join().unwrap();
    assert!(
        (frames.len() as f64 / 5.0 - audio.seconds()).abs() < 0.5,
        "{} frames, {} s",
        frames.len(),
        audio.seconds()
    );
}
