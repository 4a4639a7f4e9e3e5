//! The table of labels: a line for each clip, with its video or speaker, split, label and transcript.

use anyhow::{Context, Result, anyhow, bail};
use corpus::{LABEL_RANGE, find_columns};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::str::FromStr;

/// Names of the columns of the table of labels. `None` takes the corpus folder's own name for that column if the table
/// has it.
pub(super) struct Names<'a> {
    pub id: &'a str,
    pub video: Option<&'a str>,
    pub split: Option<&'a str>,
    pub label: &'a str,
    pub text: Option<&'a str>,
}

/// A line of the table of labels: one clip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub id: String,
    pub video_id: String,
    /// Split of the clip; `None` where the table has no such column.
    pub split: Option<String>,
    pub label: f32,
    pub text: String,
}

/// The numbers in [−3, 3] that words in the column of the label stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMap(BTreeMap<String, f32>);

impl FromStr for LabelMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = |pair: &str| {
            let wrong = || format!("expected WORD=NUMBER with a number in [-3, 3], got `{pair}`");
            let (word, number) = pair.split_once('=').ok_or_else(wrong)?;
            let number = number.trim().parse().ok().filter(|number| LABEL_RANGE.contains(number)).ok_or_else(wrong)?;
            Ok((word.trim().to_owned(), number))
        };
        text.split(',').map(pair).collect::<Result<_, String>>().map(LabelMap)
    }
}

/// Reads the table of labels.
///
/// # Errors
/// If a column is missing or a field is wrong, naming column, or line and field.
pub(super) fn read(path: &Path, names: &Names, map: Option<&LabelMap>) -> Result<Vec<Entry>> {
    let shown = path.display();
    let mut reader = csv::Reader::from_path(path).with_context(|| shown.to_string())?;
    let header = reader.headers().with_context(|| shown.to_string())?.clone();
    let there = |name: &str| header.iter().any(|column| column.trim() == name);
    let or_default = |name: Option<&'_ str>, default: &'static str| match name {
        Some(name) => Some(name.to_owned()),
        None => there(default).then(|| default.to_owned()),
    };
    let optional = [(names.video, "video_id"), (names.split, "split"), (names.text, "text")];
    let optional = optional.map(|(name, default)| or_default(name, default));
    let wanted = [names.id, names.label].into_iter().chain(optional.iter().flatten().map(String::as_str));
    let wanted: Vec<&str> = wanted.collect();
    let found = find_columns(header.iter(), &wanted).map_err(|problem| anyhow!("{shown}: {problem}"))?;
    let (id, label) = (found[0], found[1]);
    let mut rest = found[2..].iter().copied();
    let [video, split, text] = optional.map(|name| name.and_then(|_| rest.next()));
    let (mut entries, mut lines) = (Vec::new(), HashMap::new());
    for record in reader.records() {
        let record = record.with_context(|| shown.to_string())?;
        let line = record.position().map_or(0, |position| position.line());
        let value = |at: usize| record.get(at).unwrap_or_default().trim();
        let filled = |at: usize| match value(at) {
            "" => Err(anyhow!("{shown}: line {line}, field `{}`: is empty", &header[at])),
            value => Ok(value.to_owned()),
        };
        let name = filled(id)?;
        if let Some(first) = lines.insert(name.clone(), line) {
            bail!("{shown}: line {line}, field `{}`: `{name}` is also the id of line {first}", names.id);
        }
        entries.push(Entry {
            video_id: video.map_or_else(|| Ok(name.clone()), filled)?,
            split: split.map(filled).transpose()?,
            label: number(value(label), map)
                .map_err(|problem| anyhow!("{shown}: line {line}, field `{}`: {problem}", names.label))?,
            text: text.map_or(String::new(), |at| value(at).to_owned()),
            id: name,
        });
    }
    Ok(entries)
}

fn number(text: &str, map: Option<&LabelMap>) -> Result<f32, String> {
    if let Some(LabelMap(map)) = map {
        let words = || map.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return map.get(text).copied().ok_or_else(|| format!("--label-map has no `{text}`, it has {}", words()));
    }
    let number = text.parse().ok().filter(|number| LABEL_RANGE.contains(number));
    number.ok_or_else(|| format!("expected a number in [-3, 3], got `{text}`; --label-map says what words stand for"))
}
