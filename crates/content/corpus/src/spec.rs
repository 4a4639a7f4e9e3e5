//! How a user names a corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::CorpusError;

/// Which corpus to load. Parses from and prints as the string given on the command line.
#[derive(Clone, Debug, PartialEq)]
pub enum CorpusSpec {
    /// The generated corpus, see [`crate::builtin`].
    Builtin {
        /// Share of a modality's knowledge of the label that the others have too, in [0, 1].
        redundancy: f64,
        /// Seed of everything that is drawn.
        seed: u64,
    },
    /// A corpus folder. One that is called `builtin` is named `./builtin`.
    Folder(PathBuf),
}

impl CorpusSpec {
    /// `builtin` as it is without options.
    pub const BUILTIN: CorpusSpec = CorpusSpec::Builtin { redundancy: 0.5, seed: 0 };
}

impl FromStr for CorpusSpec {
    type Err = CorpusError;

    fn from_str(spec: &str) -> Result<Self, CorpusError> {
        let wrong = |problem: String| CorpusError::Spec { spec: spec.to_owned(), problem };
        if spec.is_empty() {
            return Err(wrong("expected `builtin` or a folder".into()));
        }
        let options = match spec.strip_prefix("builtin") {
            Some("") => return Ok(CorpusSpec::BUILTIN),
            Some(rest) if rest.starts_with(':') => &rest[1..],
            _ => return Ok(CorpusSpec::Folder(PathBuf::from(spec))),
        };
        let (mut redundancy, mut seed) = (None, None);
        for option in options.split(',') {
            let (key, value) = option
                .split_once('=')
                .ok_or_else(|| wrong(format!("expected redundancy=R or seed=N, got `{option}`")))?;
            let repeated = match key {
                "redundancy" => {
                    let parsed = value.parse().ok().filter(|r| (0.0..=1.0).contains(r));
                    let parsed = parsed.ok_or_else(|| wrong(format!("redundancy must be in [0, 1], got `{value}`")))?;
                    redundancy.replace(parsed).is_some()
                }
                "seed" => {
                    let parsed = value.parse();
                    let parsed =
                        parsed.map_err(|_| wrong(format!("seed must be a whole number from 0, got `{value}`")))?;
                    seed.replace(parsed).is_some()
                }
                _ => {
                    return Err(wrong(format!("no option `{key}`; there are redundancy and seed")));
                }
            };
            if repeated {
                return Err(wrong(format!("{key} is given twice")));
            }
        }
        Ok(CorpusSpec::Builtin { redundancy: redundancy.unwrap_or(0.5), seed: seed.unwrap_or(0) })
    }
}

impl fmt::Display for CorpusSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CorpusSpec::Builtin { redundancy, seed } => {
                write!(f, "builtin:redundancy={redundancy},seed={seed}")
            }
            CorpusSpec::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        let builtin = |redundancy, seed| CorpusSpec::Builtin { redundancy, seed };
        for (text, spec) in [
            ("builtin", builtin(0.5, 0)),
            ("builtin:seed=7", builtin(0.5, 7)),
            ("builtin:redundancy=0.25,seed=18446744073709551615", builtin(0.25, u64::MAX)),
            ("./builtin", CorpusSpec::Folder("./builtin".into())),
            ("builtin-2", CorpusSpec::Folder("builtin-2".into())),
            ("a/b c", CorpusSpec::Folder("a/b c".into())),
        ] {
            let parsed: CorpusSpec = text.parse().unwrap();
            assert_eq!(parsed, spec);
            assert_eq!(parsed.to_string().parse::<CorpusSpec>().unwrap(), spec);
        }
    }

    #[test]
    fn errors_quote_the_string_and_the_option() {
        for (text, expected) in [
            ("", "expected `builtin` or a folder"),
            ("builtin:", "expected redundancy=R or seed=N"),
            ("builtin:redundancy=1.5", "redundancy must be in [0, 1], got `1.5`"),
            ("builtin:redundancy=NaN", "redundancy must be in [0, 1]"),
            ("builtin:seed=-1", "seed must be a whole number from 0, got `-1`"),
            ("builtin:sed=1", "no option `sed`"),
            ("builtin:seed=1,seed=2", "seed is given twice"),
        ] {
            let error = text.parse::<CorpusSpec>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("corpus `{text}`: ")) && error.contains(expected), "{error}");
        }
    }
}
