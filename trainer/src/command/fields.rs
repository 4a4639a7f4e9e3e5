//! The fields of a run's settings that `--set` can set, by dotted path.

use crate::config::RunConfig;
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The value of `--set` that requests the list of fields instead of setting one.
pub const HELP: &str = "help";

/// Field that `--set` cannot set: it follows from the corpus.
const DERIVED: &str = "network.widths";

/// The settings with some fields replaced, given as `FIELD=VALUE` with dotted paths.
///
/// # Errors
/// If a field does not exist, listing those that do, or cannot take the value.
pub fn overridden(config: &RunConfig, fields: &[String]) -> Result<RunConfig> {
    let mut value = serde_json::to_value(config)?;
    for field in fields {
        let Some((path, text)) = field.split_once('=') else {
            bail!("--set {field}: expected FIELD=VALUE; `--set {HELP}` lists the fields");
        };
        let pointer = format!("/{}", path.replace('.', "/"));
        let Some(slot) = value.pointer_mut(&pointer) else {
            let there: Vec<String> =
                leaves(&config.shown()?).into_iter().map(|(name, held)| format!("{name}={held}")).collect();
            bail!("--set {field}: no such field; there are: {}", there.join(", "));
        };
        *slot = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    }
    serde_json::from_value(value).with_context(|| format!("--set {}", fields.join(" --set ")))
}

/// A table of all fields that `--set` can set: name, kind, and the value in these settings.
///
/// # Errors
/// If the settings cannot be written as JSON.
pub fn table(config: &RunConfig) -> Result<String> {
    let rows = leaves(&config.shown()?);
    let width = |text: fn(&(String, Value)) -> usize| rows.iter().map(text).max().unwrap_or(0);
    let (names, kinds) = (width(|row| row.0.len()), width(|row| kind(&row.1).len()));
    let mut out = String::from("fields of --set FIELD=VALUE, and what they hold unless set:\n");
    for (name, held) in &rows {
        out += &format!("  {name:<names$}  {:<kinds$}  {held}\n", kind(held));
    }
    Ok(out)
}

/// Name (dotted path) and value of the fields that hold no other fields.
fn leaves(value: &Value) -> Vec<(String, Value)> {
    let Value::Object(fields) = value else { return Vec::new() };
    let mut all = Vec::new();
    let mut waiting: Vec<(String, &Value)> = fields.iter().rev().map(|(name, value)| (name.clone(), value)).collect();
    while let Some((path, value)) = waiting.pop() {
        match value {
            _ if path == DERIVED => {}
            Value::Object(inner) => {
                waiting.extend(inner.iter().rev().map(|(name, value)| (format!("{path}.{name}"), value)));
            }
            leaf => all.push((path, leaf.clone())),
        }
    }
    all
}

/// The kind of value that a field takes, derived from its current value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "unset",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "whole number",
        Value::String(_) => "word",
        Value::Array(_) => "list",
        Value::Object(_) => "fields",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::TrainOptions;
    use corpus::{Corpus, CorpusSpec};

    fn config() -> RunConfig {
        let corpus = Corpus::load(&CorpusSpec::BUILTIN).unwrap();
        TrainOptions::default().resolved(&CorpusSpec::BUILTIN, &corpus, 3).unwrap()
    }

    #[test]
    fn every_field_that_is_listed_can_be_set_to_what_it_holds() {
        let config = config();
        let rows = leaves(&config.shown().unwrap());
        assert!(rows.len() > 30, "{rows:?}");
        let fields: Vec<String> = rows.iter().map(|(name, held)| format!("{name}={held}")).collect();
        assert_eq!(overridden(&config, &fields).unwrap(), config);
        assert!(rows.iter().all(|(name, _)| !name.starts_with(DERIVED)));
        let table = table(&config).unwrap();
        for row in ["schedule.learning_rate number 0.002", "batch whole number 32", "calibrate true or false true"] {
            assert!(table.lines().any(|line| line.split_whitespace().eq(row.split(' '))), "{row}: {table}");
        }
        assert_eq!(table.lines().count(), rows.len() + 1);
    }

    #[test]
    fn a_field_that_is_not_there_is_answered_with_those_that_are() {
        let error = overridden(&config(), &["schedule.speed=3".into()]).unwrap_err().to_string();
        assert!(error.starts_with("--set schedule.speed=3: no such field; there are: "), "{error}");
        for field in ["batch=32", "schedule.learning_rate=0.002", "law.snr_db=[-15.0,21.0]", "tuning=null"] {
            assert!(error.contains(field), "{field}: {error}");
        }
        let error = overridden(&config(), &["batch".into()]).unwrap_err().to_string();
        assert!(error.contains("`--set help` lists the fields"), "{error}");
    }
}
