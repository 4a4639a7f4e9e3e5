//! Finding columns of a CSV file by name.

/// The position in `header` of each column of `wanted`. Spaces around a name in the header do not count.
///
/// # Errors
/// In one message, every column of `wanted` that is missing, and the columns there are; or a column that is there twice.
pub fn find_columns<'a>(header: impl IntoIterator<Item = &'a str>, wanted: &[&str]) -> Result<Vec<usize>, String> {
    let header: Vec<&str> = header.into_iter().map(str::trim).collect();
    let (mut found, mut missing) = (Vec::with_capacity(wanted.len()), Vec::new());
    for name in wanted {
        let mut at = header.iter().enumerate().filter(|(_, column)| *column == name);
        match (at.next(), at.next()) {
            (Some((index, _)), None) => found.push(index),
            (Some(_), Some(_)) => return Err(format!("column `{name}` is there twice")),
            (None, _) => missing.push(format!("`{name}`")),
        }
    }
    let Some((first, more)) = missing.split_first() else { return Ok(found) };
    let also = if more.is_empty() { String::new() } else { format!("; also missing: {}", more.join(", ")) };
    Err(format!("no column {first}; there are: {}{also}", header.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_columns_are_named_at_once() {
        let header = ["id", " label ", "said"];
        assert_eq!(find_columns(header, &["label", "id"]), Ok(vec![1, 0]));
        let missing = |wanted: &[&str]| find_columns(header, wanted).unwrap_err();
        assert_eq!(missing(&["split", "id"]), "no column `split`; there are: id, label, said");
        assert_eq!(
            missing(&["id", "video_id", "split", "text"]),
            "no column `video_id`; there are: id, label, said; also missing: `split`, `text`"
        );
        assert_eq!(find_columns(["id", "id"], &["id", "label"]).unwrap_err(), "column `id` is there twice");
    }
}
