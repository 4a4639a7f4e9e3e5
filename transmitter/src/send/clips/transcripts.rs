//! `--transcripts`: a CSV file with the transcripts of media files and, optionally, their labels.

use anyhow::{Context, Result, bail};
use proto::v1;
use proto::v1::content::Kind;
use std::collections::HashMap;
use std::path::Path;

/// The transcript and label of one media file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The transcript; may be empty.
    pub text: String,
    /// The sentiment label in [−3, 3]; `None` if the table has none for this file.
    pub label: Option<f32>,
}

impl Said {
    /// Adds the transcript, if it is not blank, and the label to the clip of a media file.
    pub fn into_clip(self, clip: &mut v1::Clip) {
        if !self.text.trim().is_empty() {
            let kind = Some(Kind::Transcript(self.text.trim().to_owned()));
            clip.modalities.insert("text".into(), v1::Content { kind });
        }
        clip.label = self.label;
    }
}

/// Transcripts and labels by the name of the media file, with or without its extension.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Transcripts(HashMap<String, Said>);

impl Transcripts {
    /// Reads the columns `id`, `text` and, if there is one, `label` of a CSV file; other columns are ignored.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is not valid; the error names the file and the line or column.
    pub fn read(path: &Path) -> Result<Transcripts> {
        let shown = path.display();
        let mut reader = csv::Reader::from_path(path).with_context(|| format!("--transcripts {shown}"))?;
        let header = reader.headers().with_context(|| format!("--transcripts {shown}"))?.clone();
        let column = |name: &str| header.iter().position(|column| column.trim() == name);
        let (Some(id), Some(text)) = (column("id"), column("text")) else {
            let there = header.iter().collect::<Vec<_>>().join(", ");
            bail!("--transcripts {shown}: expected columns id and text, and label if there is one; there are: {there}");
        };
        let label = column("label");
        let mut all = HashMap::new();
        for record in reader.records() {
            let record = record.with_context(|| format!("--transcripts {shown}"))?;
            let line = record.position().map_or(0, |position| position.line());
            let value = |at: usize| record.get(at).unwrap_or_default().trim();
            let said = Said {
                text: value(text).to_owned(),
                label: label.and_then(|at| number(value(at))).transpose().map_err(|got| {
                    anyhow::anyhow!(
                        "--transcripts {shown}: line {line}, field `label`: expected a number in [-3, 3], got `{got}`"
                    )
                })?,
            };
            if all.insert(value(id).to_owned(), said).is_some() {
                bail!("--transcripts {shown}: line {line}: `{}` is there twice", value(id));
            }
        }
        Ok(Transcripts(all))
    }

    /// A table that gives every file the transcript `text`, for use with a single file.
    pub fn of_all(text: &str) -> Transcripts {
        Transcripts([(String::new(), Said { text: text.to_owned(), label: None })].into())
    }

    /// The transcript and label of a media file; empty if the table has none.
    pub fn of(&self, file: &Path) -> Said {
        let name = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let keys = [name(file.file_name()), name(file.file_stem()), String::new()];
        keys.iter().find_map(|key| self.0.get(key)).cloned().unwrap_or_default()
    }
}

/// Parses a label in [−3, 3]; `None` for an empty field. The error is the text that is not valid.
fn number(text: &str) -> Option<std::result::Result<f32, String>> {
    let in_range = |label: &f32| (-3.0..=3.0).contains(label);
    (!text.is_empty()).then(|| text.parse().ok().filter(in_range).ok_or_else(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Transcripts> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        Transcripts::read(&path)
    }

    #[test]
    fn files_are_found_by_name_and_by_stem() {
        let all = read("label,id,text\n-1.5,a,so\n,b.wav, and so \n").unwrap();
        assert_eq!(all.of(Path::new("x/a.mp4")), Said { text: "so".into(), label: Some(-1.5) });
        assert_eq!(all.of(Path::new("b.wav")), Said { text: "and so".into(), label: None });
        assert_eq!(all.of(Path::new("b.mp4")), Said::default());
        assert_eq!(Transcripts::of_all("so").of(Path::new("any")).text, "so");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("id,words\na,so\n", "expected columns id and text"),
            ("id,text\na,so\na,so\n", "line 3: `a` is there twice"),
            ("id,text,label\na,so,4\n", "line 2, field `label`: expected a number in [-3, 3], got `4`"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(part), "{error}");
        }
    }
}
