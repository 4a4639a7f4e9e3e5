//! What is not decoded in process, by an ffmpeg program if there is one.

mod pictures;
mod process;
mod sound;

use std::path::{Path, PathBuf};

pub use pictures::Pictures;
pub use sound::audio;

use crate::{Error, Limits};

/// What the crate decodes by itself, for the errors.
const IN_PROCESS: &str = if cfg!(feature = "video") {
    "WAV with PCM and whole MP4 files with H.264, AAC-LC or MPEG audio"
} else {
    "WAV with PCM and whole MP4 files with AAC-LC or MPEG audio"
};

/// Does by ffmpeg what was not done in process, if the error is of that kind. If that fails too, the first error says both.
pub fn instead<T>(error: Error, limits: &Limits, decode: impl FnOnce(&Path) -> Result<T, Error>) -> Result<T, Error> {
    if !matches!(error, Error::Unknown(_) | Error::Unsupported(_) | Error::Fragmented(_)) {
        return Err(error);
    }
    let program = if limits.ffmpeg_seconds > 0.0 { find() } else { None };
    let Some(program) = program else {
        let note = format!("{IN_PROCESS} are decoded in process; with ffmpeg on PATH more would be");
        return Err(noted(error, &note));
    };
    decode(&program).map_err(|second| match second {
        Error::Ffmpeg(said) => noted(error, &format!("ffmpeg says: {said}")),
        other => other,
    })
}

fn noted(error: Error, note: &str) -> Error {
    match error {
        Error::Unknown(what) => Error::Unknown(format!("{what}; {note}")),
        Error::Unsupported(what) => Error::Unsupported(format!("{what}; {note}")),
        Error::Fragmented(what) => Error::Fragmented(format!("{what}; {note}")),
        other => other,
    }
}

/// The program on PATH.
fn find() -> Option<PathBuf> {
    let name = format!("ffmpeg{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}
