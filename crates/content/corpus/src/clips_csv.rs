//! Reading `clips.csv`: who said what, in which split, with which label.

use std::collections::HashMap;
use std::path::Path;

use crate::{Clip, CorpusError, LABEL_RANGE};

/// Which column of a CSV file holds which field. The default is the corpus folder's own names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Unique name of the clip.
    pub id: String,
    /// The video it was cut from.
    pub video_id: String,
    /// The split it belongs to.
    pub split: String,
    /// Sentiment in [−3, 3].
    pub label: String,
    /// The transcript; the field may be empty.
    pub text: String,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            id: "id".into(),
            video_id: "video_id".into(),
            split: "split".into(),
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
    let wanted = [&columns.id, &columns.video_id, &columns.split, &columns.label, &columns.text];
    let mut at = [0; 5];
    for (at, name) in at.iter_mut().zip(wanted) {
        let mut found = header.iter().enumerate().filter(|(_, column)| column.trim() == name);
        *at = match (found.next(), found.next()) {
            (Some((index, _)), None) => index,
            (Some(_), Some(_)) => {
                return Err(CorpusError::file(path, format!("column `{name}` is there twice")));
            }
            (None, _) => {
                let there = header.iter().collect::<Vec<_>>().join(", ");
                return Err(CorpusError::file(path, format!("no column `{name}`; there are: {there}")));
            }
        };
    }

    let mut clips = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(malformed)?;
        let line = record.position().map_or(0, |position| position.line());
        let wrong = |field: usize, problem: String| CorpusError::Field {
            path: path.to_owned(),
            line,
            row,
            field: wanted[field].clone(),
            problem,
        };
        let value = |field: usize| record.get(at[field]).unwrap_or_default();
        for field in 0..4 {
            if value(field).trim().is_empty() {
                return Err(wrong(field, "is empty".into()));
            }
        }
        let id = value(0).to_owned();
        if let Some(first) = lines.insert(id.clone(), line) {
            return Err(wrong(0, format!("`{id}` is also the id of line {first}")));
        }
        let label = value(3).trim().parse::<f32>().ok().filter(|label| LABEL_RANGE.contains(label));
        let label = label.ok_or_else(|| wrong(3, format!("expected a number in [-3, 3], got `{}`", value(3))))?;
        clips.push(Clip {
            id,
            video_id: value(1).to_owned(),
            split: value(2).to_owned(),
            label,
            text: value(4).to_owned(),
            features: [None, None, None],
        });
    }
    if clips.is_empty() {
        return Err(CorpusError::file(path, "holds no clips"));
    }
    Ok(clips)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: impl AsRef<[u8]>) -> Result<Vec<Clip>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clips.csv");
        std::fs::write(&path, content).unwrap();
        read_clips(&path, &Columns::default()).map_err(|error| {
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
}
