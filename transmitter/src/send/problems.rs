//! Collects the reasons why clips were not predicted: each distinct reason once, with a count.

use super::sweep::Failure;
use std::collections::BTreeMap;

/// Maximum number of distinct reasons that are counted separately. A reason may quote a value of its clip, so their
/// number has no bound.
const DISTINCT: usize = 20;

/// Counts failures by reason, in memory that does not grow with their number.
#[derive(Debug, Default)]
pub(super) struct Problems {
    counts: BTreeMap<String, u64>,
    /// Number of failures for reasons beyond the first [`DISTINCT`].
    others: u64,
}

impl Problems {
    /// Counts a failure. Returns a line to print if its reason is new.
    pub fn add(&mut self, failure: &Failure) -> Option<String> {
        if let Some(count) = self.counts.get_mut(&failure.reason) {
            *count += 1;
            return None;
        }
        if self.counts.len() < DISTINCT {
            self.counts.insert(failure.reason.clone(), 1);
            return Some(format!("not predicted: {failure}"));
        }
        self.others += 1;
        (self.others == 1).then(|| format!("not predicted: {failure}; further reasons are counted and not shown"))
    }

    /// A line for each reason that occurred more than once, with its count.
    pub fn counts(&self) -> Vec<String> {
        let repeated = self.counts.iter().filter(|(_, count)| **count > 1);
        let line = |(reason, count): (&String, &u64)| format!("{count} clips were not predicted: {reason}");
        let mut lines: Vec<String> = repeated.map(line).collect();
        if self.others > 1 {
            lines.push(format!("{} clips were not predicted for other reasons", self.others));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(id: usize, reason: &str) -> Failure {
        Failure { id: id.to_string(), point: "awgn 3 dB".into(), reason: reason.into() }
    }

    #[test]
    fn a_reason_is_said_once_and_counted() {
        let mut problems = Problems::default();
        let first = problems.add(&failure(0, "too long")).unwrap();
        assert_eq!(first, "not predicted: clip `0` at awgn 3 dB: too long");
        assert_eq!(problems.counts(), [""; 0], "it was said already");
        assert!((1..5).all(|id| problems.add(&failure(id, "too long")).is_none()));
        assert!(problems.add(&failure(1, "too wide")).unwrap().contains("too wide"));
        assert_eq!(problems.counts(), ["5 clips were not predicted: too long"]);
    }

    #[test]
    fn reasons_without_an_end_are_bounded() {
        let mut problems = Problems::default();
        let said = (0..1000).filter(|id| problems.add(&failure(*id, &format!("frame {id}"))).is_some()).count();
        assert_eq!((said, problems.counts.len()), (DISTINCT + 1, DISTINCT));
        assert_eq!(problems.counts(), [format!("{} clips were not predicted for other reasons", 1000 - DISTINCT)]);
    }
}
