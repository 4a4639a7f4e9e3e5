//! The sources of the user's own clips: folders, files or standard input, read in pieces of bounded size.

use super::json::OwnClip;
use super::transcripts::Transcripts;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use wire::chunks::MAX_MEDIA_BYTES;

/// Maximum size in bytes of a line, and of a file that holds one clip other than media.
pub(super) const MAX_CLIP_BYTES: usize = 16 << 20;
/// Number of files that are named when they are not read.
const NAMED: usize = 5;

/// One clip that was read, or why it cannot be read.
#[derive(Debug)]
pub(super) struct Entry {
    /// The file, and the line if it holds several clips: `clips.jsonl:3` or `clip.json`.
    pub place: String,
    /// The clip, or in words why it cannot be read.
    pub clip: Result<OwnClip, String>,
}

/// A file that holds clips, with its kind.
type ClipFile = (Kind, PathBuf);

/// The source of clips that the paths of the command line name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// JSON lines on standard input.
    Stdin,
    /// Files, to be read in this order.
    Files(Vec<ClipFile>),
}

/// The kind of content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One clip as JSON (`*.json`).
    Clip,
    /// One clip per line, as JSON (`*.jsonl`).
    Lines,
    /// One transcript (`*.txt`).
    Transcript,
    /// Sound or a video.
    Media,
}

const EXPECTED: &str = "*.json, *.jsonl, *.txt or media such as *.wav and *.mp4";

impl Kind {
    /// The kind of a file by its extension; `None` for other extensions.
    fn of(file: &Path) -> Option<Kind> {
        let extension = file.extension().and_then(OsStr::to_str)?.to_ascii_lowercase();
        match extension.as_str() {
            "json" => Some(Kind::Clip),
            "jsonl" => Some(Kind::Lines),
            "txt" => Some(Kind::Transcript),
            _ => media::has_media_name(file).then_some(Kind::Media),
        }
    }
}

impl Source {
    /// Finds the files at `paths`; also returns a warning for each folder that has files which are not read.
    ///
    /// # Errors
    /// Fails if a path does not exist or holds no clips.
    pub fn find(paths: &[&Path]) -> Result<(Source, Vec<String>)> {
        if paths == [Path::new("-")] {
            return Ok((Source::Stdin, Vec::new()));
        }
        let (mut all, mut warnings) = (Vec::new(), Vec::new());
        for path in paths {
            let (files, warning) = Self::files(path)?;
            all.extend(files);
            warnings.extend(warning);
        }
        Ok((Source::Files(all), warnings))
    }

    fn files(path: &Path) -> Result<(Vec<ClipFile>, Option<String>)> {
        let shown = path.display();
        let what = std::fs::metadata(path).with_context(|| shown.to_string())?;
        if !what.is_dir() {
            // A pipe of the shell, `<(…)`, has no extension.
            let kind = Kind::of(path).or((!what.is_file()).then_some(Kind::Lines));
            let Some(kind) = kind else { bail!("{shown}: expected a folder, {EXPECTED}") };
            return Ok((vec![(kind, path.to_owned())], None));
        }
        let mut paths: Vec<PathBuf> = std::fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .with_context(|| shown.to_string())?;
        paths.sort();
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for path in paths {
            match Kind::of(&path).filter(|_| !path.is_dir()) {
                Some(kind) => files.push((kind, path)),
                None => others.push(name(&path)),
            }
        }
        if files.is_empty() {
            bail!("{shown}: no clips in this folder; expected {EXPECTED}");
        }
        let more = others.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let warning = format!("{shown}: not read: {}{more}", others[..others.len().min(NAMED)].join(", "));
        Ok((files, (!others.is_empty()).then_some(warning)))
    }

    /// Reads all clips in order, media files with their entry in `transcripts`, and hands each to `take` until that
    /// returns `false`. Blocks the thread.
    pub fn read(self, transcripts: &Transcripts, mut take: impl FnMut(Entry) -> bool) {
        match self {
            Source::Stdin => {
                lines(io::stdin().lock(), "stdin", &mut take);
            }
            Source::Files(files) => {
                for (kind, path) in files {
                    if !read_file(kind, &path, transcripts, &mut take) {
                        return;
                    }
                }
            }
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn read_file(kind: Kind, path: &Path, transcripts: &Transcripts, take: &mut impl FnMut(Entry) -> bool) -> bool {
    let name = name(path);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return take(Entry { place: name, clip: Err(error.to_string()) }),
    };
    if kind == Kind::Lines {
        return lines(BufReader::new(file), &name, take);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let limit = if kind == Kind::Media { MAX_MEDIA_BYTES } else { MAX_CLIP_BYTES };
    let clip = whole(file, limit).and_then(|content| match kind {
        Kind::Media => OwnClip::from_media(content, &stem, transcripts.of(path)),
        Kind::Transcript => OwnClip::from_transcript(content, &stem),
        _ => OwnClip::from_json(&content, &stem),
    });
    take(Entry { place: name, clip })
}

/// The content of a file that is one clip, of at most `limit` bytes.
fn whole(file: File, limit: usize) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    match content.len() > limit {
        true => Err(format!("a clip has at most {limit} bytes, this file has more")),
        false => Ok(content),
    }
}

/// Reads one clip per line; skips empty lines. Returns `false` if `take` wants no more.
fn lines(mut reader: impl BufRead, name: &str, take: &mut impl FnMut(Entry) -> bool) -> bool {
    let mut line = Vec::new();
    for number in 1u64.. {
        let place = format!("{name}:{number}");
        let clip = match next_line(&mut reader, &mut line, MAX_CLIP_BYTES) {
            Ok(Line::End) => return true,
            Ok(Line::Whole) if line.trim_ascii().is_empty() => continue,
            Ok(Line::Whole) => OwnClip::from_json(&line, &place),
            Ok(Line::TooLong) => Err(format!("a line has at most {MAX_CLIP_BYTES} bytes, this one has more")),
            Err(error) => {
                take(Entry { place, clip: Err(error.to_string()) });
                return true;
            }
        };
        if !take(Entry { place, clip }) {
            return false;
        }
    }
    true
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads a line of at most `limit` bytes, without its line feed, into `line`; skips a line that is longer.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    line.clear();
    let mut piece = |line: &mut Vec<u8>| {
        let read = reader.by_ref().take(limit as u64 + 1).read_until(b'\n', line)?;
        Ok::<_, io::Error>((read, line.pop_if(|last| *last == b'\n').is_some()))
    };
    let (read, mut ended) = piece(line)?;
    if read == 0 {
        return Ok(Line::End);
    }
    if line.len() <= limit {
        return Ok(Line::Whole);
    }
    while !ended {
        line.clear();
        let (read, end) = piece(line)?;
        ended = end || read == 0;
    }
    line.clear();
    Ok(Line::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_the_next_one_is_read() {
        let text = b"four\n\nlonger than it may be, by far\nfive5\nsixsix\nlast";
        let (mut reader, mut line) = (&text[..], Vec::new());
        let mut next = || {
            let kind = next_line(&mut reader, &mut line, 5).unwrap();
            (kind, String::from_utf8(line.clone()).unwrap())
        };
        let whole = |text: &str| (Line::Whole, text.to_owned());
        let other = |kind: Line| (kind, String::new());
        assert_eq!([next(), next(), next()], [whole("four"), whole(""), other(Line::TooLong)]);
        assert_eq!([next(), next()], [whole("five5"), other(Line::TooLong)]);
        assert_eq!([next(), next(), next()], [whole("last"), other(Line::End), other(Line::End)]);
    }

    #[test]
    fn a_folder_is_read_by_name_and_the_rest_is_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("b.txt", " what a film \n");
        write("a.jsonl", "{\"audio\": [1, 2]}\n\n{\"colour\": 1}\n");
        write("c.JSON", "{\"id\": \"own\", \"text\": \"so\"}");
        std::fs::create_dir(folder.path().join("deeper.json")).unwrap();
        (0..7).for_each(|n| write(&format!("z{n}.csv"), ""));
        let (source, warnings) = Source::find(&[folder.path()]).unwrap();
        let warning = warnings.concat();
        assert!(warning.ends_with("not read: deeper.json, z0.csv, z1.csv, z2.csv, z3.csv and 3 more"), "{warning}");
        let mut entries = Vec::new();
        source.read(&Transcripts::default(), |entry| {
            entries.push((entry.place, entry.clip.map(|clip| clip.message.id)));
            true
        });
        let ids: Vec<_> = entries.iter().map(|(place, id)| (place.as_str(), id.as_deref().unwrap_or("-"))).collect();
        assert_eq!(ids, [("a.jsonl:1", "a.jsonl:1"), ("a.jsonl:3", "-"), ("b.txt", "b"), ("c.JSON", "own")]);
        assert!(entries[1].1.as_ref().unwrap_err().contains("`colour`"));

        let error = |path: &Path| format!("{:#}", Source::find(&[path]).unwrap_err());
        assert!(error(&folder.path().join("none")).contains("none"));
        assert!(error(&folder.path().join("z0.csv")).contains("expected a folder"));
        assert!(error(&folder.path().join("deeper.json")).contains("no clips"));
    }
}
