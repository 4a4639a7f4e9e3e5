//! Counters of rejected items by error code.

use super::{Counter, Metrics};
use proto::v1::ErrorCode;

/// The label of every error code, at the index of its number.
const CODES: [&str; 11] = [
    "unspecified",
    "wrong_width",
    "not_finite",
    "empty",
    "too_long",
    "malformed",
    "bad_conditions",
    "bad_key",
    "unsupported",
    "wrong_length",
    "internal",
];

/// The name of an error code in labels, such as `wrong_width`.
pub fn code_name(code: ErrorCode) -> &'static str {
    CODES.get(code as usize).copied().unwrap_or(CODES[0])
}

/// Counters of rejected items, one for each error code. Those of the default are not on the page of metrics.
#[derive(Clone, Debug, Default)]
pub struct Faults([Counter; CODES.len()]);

impl Faults {
    /// Registers the counters, which the page of metrics shows as `NAME_total{code}`.
    pub fn register(metrics: &Metrics, name: &str, help: &str) -> Self {
        Faults(metrics.counters(name, help, "code", CODES))
    }

    /// Counts an item that was rejected with `code`.
    pub fn count(&self, code: ErrorCode) {
        if let Some(counter) = self.0.get(code as usize) {
            counter.inc();
        }
    }

    /// The number of items that were rejected with `code`.
    pub fn get(&self, code: ErrorCode) -> u64 {
        self.0.get(code as usize).map_or(0, Counter::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_wire_has_its_name() {
        for (number, name) in CODES.into_iter().enumerate() {
            let code = ErrorCode::try_from(number as i32).unwrap();
            assert_eq!(code.as_str_name(), format!("ERROR_CODE_{}", name.to_uppercase()));
            assert_eq!(code_name(code), name);
        }
        assert!(ErrorCode::try_from(CODES.len() as i32).is_err(), "a code without a counter");
    }
}
