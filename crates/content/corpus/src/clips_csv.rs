//! Reading `clips.csv`: who said what, in which split, with which label.

use std::collections::HashMap;
use std::path::Path;

use crate::{Clip, CorpusError, LABEL_RANGE, find_columns, with_splits};

/// Which column of a CSV file holds which field. The default is the corpus folder's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Unique name of the clip.
    pub id: String,
    /// The video it was cut from. `None`: `video_id` if there is such a column, else each clip is a video of its own.
    pub video_id: Option<String>,
    /// The split it belongs to. `None`: `split` if there is such a column, else as [`with_splits`] cuts.
    pub split: Option<String>,
    /// Sentiment in [−3, 3].
    pub label: String,
    /// The transcript; the field may be empty.
    pub text: String,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            id: "id".into(),
            video_id: Some("video_id".into()),
            split: Some("split".into()),
            label: "label".into(),
            text: "text".into(),
        }
    }
}

/// Reads the clips, without features. Columns may come in any order and others are ignored.
///
/// # Errors
/// If the file cannot be read, is not UTF-8 CSV, lacks a column or a clip, or a line has an empty or repeated id,
/// an empty video or split, or a label that is no number in [−3, 3].
pub(crate) fn read_clips(path: &Path, columns: &Columns) -> Result<Vec<Clip>, CorpusError> {
    let file = std::fs::File::open(path).map_err(|source| CorpusError::io(path, source))?;
    let malformed = |error: csv::Error| CorpusError::file(path, error.to_string());
    let mut reader = csv::Reader::from_reader(std::io::BufReader::new(file));
    let header = reader.headers().map_err(malformed)?.clone();
    let there = |name: &str| header.iter().any(|column| column.trim() == name);
    let mut fields: Vec<(Field, &str)> = vec![(Field::Id, columns.id.as_str())];
    for (field, name, default) in
        [(Field::Video, &columns.video_id, "video_id"), (Field::Split, &columns.split, "split")]
    {
        match name {
            Some(name) => fields.push((field, name.as_str())),
            None if there(default) => fields.push((field, default)),
            None => {}
        }
    }
    fields.extend([(Field::Label, columns.label.as_str()), (Field::Text, columns.text.as_str())]);
    let names: Vec<&str> = fields.iter().map(|(_, name)| *name).collect();
    let found = find_columns(header.iter(), &names).map_err(|problem| CorpusError::file(path, problem))?;
    let column = |field: Field| fields.iter().position(|(other, _)| *other == field).map(|at| (found[at], names[at]));

    let mut clips = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(malformed)?;
        let line = record.position().map_or(0, |position| position.line());
        let wrong = |name: &str, problem: String| CorpusError::Field {
            path: path.to_owned(),
            line,
            row,
            field: name.to_owned(),
            problem,
        };
        // Of a column that the file lacks: nothing.
        let value = |field: Field| column(field).map(|(at, _)| record.get(at).unwrap_or_default());
        for field in [Field::Id, Field::Video, Field::Split, Field::Label] {
            if let Some((at, name)) = column(field)
                && record.get(at).unwrap_or_default().trim().is_empty()
            {
                return Err(wrong(name, "is empty".into()));
            }
        }
        let id = value(Field::Id).unwrap_or_default().to_owned();
        if let Some(first) = lines.insert(id.clone(), line) {
            return Err(wrong(&columns.id, format!("`{id}` is also the id of line {first}")));
        }
        let text = value(Field::Label).unwrap_or_default();
        let label = text.trim().parse::<f32>().ok().filter(|label| LABEL_RANGE.contains(label));
        let label =
            label.ok_or_else(|| wrong(&columns.label, format!("expected a number in [-3, 3], got `{text}`")))?;
        clips.push(Clip {
            video_id: value(Field::Video).unwrap_or(&id).to_owned(),
            split: value(Field::Split).unwrap_or_default().to_owned(),
            label,
            text: value(Field::Text).unwrap_or_default().to_owned(),
            features: [None, None, None],
            id,
        });
    }
    if clips.is_empty() {
        return Err(CorpusError::file(path, "holds no clips"));
    }
    with_splits(clips)
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    Video,
    Split,
    Label,
    Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: impl AsRef<[u8]>) -> Result<Vec<Clip>, String> {
        read_as(content, &Columns::default())
    }

    fn read_as(content: impl AsRef<[u8]>, columns: &Columns) -> Result<Vec<Clip>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clips.csv");
        std::fs::write(&path, content).unwrap();
        read_clips(&path, columns).map_err(|error| {
            let error = error.to_string();
            assert!(error.starts_with(&path.display().to_string()) && !error.contains('\n'), "{error}");
            error
        })
    }

    #[test]
    fn any_column_order_extra_columns_quotes_and_bom() {
        let clips = read(
            "\u{feff}text,note,label,split,video_id,id\n\"well, \"\"good\"\"\nindeed\",x,-1.2,train,v,a\n,y,3,test,w,b\n",
        );
        let clips = clips.unwrap();
        assert_eq!((clips[0].id.as_str(), clips[0].label), ("a", -1.2));
        assert_eq!(clips[0].text, "well, \"good\"\nindeed");
        assert_eq!((clips[1].video_id.as_str(), clips[1].text.as_str()), ("w", ""));
    }

    #[test]
    fn each_fault_is_named_by_line_row_and_field() {
        let head = "id,video_id,split,label,text\n";
        for (body, expected) in [
            (
                "a,v,train,1,x\nb,v,train,3.01,x\n",
                "line 3 (row 1), field `label`: expected a number in [-3, 3], got `3.01`",
            ),
            ("a,v,train,,x\n", "line 2 (row 0), field `label`: is empty"),
            ("a,v,train,NaN,x\n", "line 2 (row 0), field `label`: expected a number in [-3, 3], got `NaN`"),
            ("a,v,train,good,x\n", "got `good`"),
            (
                "a,v,train,1,x\nb,v,train,1,x\na,v,train,1,x\n",
                "line 4 (row 2), field `id`: `a` is also the id of line 2",
            ),
            (",v,train,1,x\n", "field `id`: is empty"),
            ("a,,train,1,x\n", "field `video_id`: is empty"),
            ("a,v,,1,x\n", "field `split`: is empty"),
            ("a,v,train,1\n", "found record with 4 fields"),
            ("", "holds no clips"),
        ] {
            let error = read(format!("{head}{body}")).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let error = read("id,video_id,split,text\na,v,train,x\n").unwrap_err();
        assert!(error.contains("no column `label`; there are: id, video_id, split, text"), "{error}");
        assert!(read("id,id,video_id,split,label,text\n").unwrap_err().contains("column `id` is there twice"));
        assert!(read(b"id,video_id,split,label,text\na,v,train,1,\xff\n").unwrap_err().contains("UTF-8"));
        assert!(read("").unwrap_err().contains("no column `id`"));
    }

    #[test]
    fn every_missing_column_is_named() {
        let error = read("id,note\na,x\n").unwrap_err();
        let expected = "no column `video_id`; there are: id, note; also missing: `split`, `label`, `text`";
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn videos_and_splits_are_made_up_where_no_column_was_asked_for() {
        let open = Columns { video_id: None, split: None, ..Columns::default() };
        let lines: String = (0..10).map(|i| format!("c{i},1,so\n")).collect();
        let clips = read_as(format!("id,label,text\n{lines}"), &open).unwrap();
        assert!(clips.iter().all(|clip| clip.video_id == clip.id));
        let count = |split: &str| clips.iter().filter(|clip| clip.split == split).count();
        assert_eq!((count("train"), count("test")), (8, 2));

        let full = read_as("id,label,text,split,video_id\na,1,so,valid,v\n", &open).unwrap();
        assert_eq!((full[0].split.as_str(), full[0].video_id.as_str()), ("valid", "v"));
        let error = read_as("id,label,text,split\na,1,so,\n", &open).unwrap_err();
        assert!(error.contains("field `split`: is empty"), "{error}");
        let asked = Columns { video_id: Some("speaker".into()), ..open };
        assert!(read_as("id,label,text\na,1,so\n", &asked).unwrap_err().contains("no column `speaker`"));
    }
}
