//! The delivery key: it names the clip and run of an item, for acknowledgements and to count each clip once.

use crate::fault::{ErrorCode, Fault};
use proto::v1;
use uuid::Uuid;

/// A checked delivery key, which names one clip of one run. The client assigns it, unique over a whole sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// The identifier of the run.
    pub run: Uuid,
    /// The sequence number of the clip within the run.
    pub sequence: u64,
}

impl Delivery {
    /// Checks a delivery key from the wire; `None` stands for a missing one.
    ///
    /// # Errors
    /// BAD_KEY: a fault of `delivery` if the key is missing, of `delivery.run_id` if that is not a UUID in its usual
    /// text form (36 characters, with hyphens).
    pub fn from_wire(key: Option<&v1::DeliveryKey>) -> Result<Self, Fault> {
        let bad = |field: &str, message: String| Fault::new(ErrorCode::BadKey, field, message);
        let key = key.ok_or_else(|| bad("delivery", "a delivery key is required".into()))?;
        // The parser accepts other forms (braces, no hyphens), but their answer would have a different text than was
        // sent.
        let run = Some(&key.run_id).filter(|id| id.len() == 36).and_then(|id| Uuid::try_parse(id).ok());
        let run = run.ok_or_else(|| {
            let shown: String = key.run_id.chars().take(40).collect();
            bad("delivery.run_id", format!("expected a UUID such as {}, got `{}`", Uuid::nil(), shown.escape_debug()))
        })?;
        Ok(Delivery { run, sequence: key.sequence })
    }

    /// The delivery key as a message of the wire.
    pub fn to_wire(self) -> v1::DeliveryKey {
        v1::DeliveryKey { run_id: self.run.to_string(), sequence: self.sequence }
    }
}

impl std::fmt::Display for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.run, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_wire_and_bad_ones_do_not() {
        let key = Delivery { run: Uuid::from_u128(0x1234_5678), sequence: u64::MAX };
        assert_eq!(Delivery::from_wire(Some(&key.to_wire())), Ok(key));
        assert_eq!(Delivery::from_wire(None).unwrap_err().field, "delivery");
        for run_id in [
            "",
            "no uuid",
            "00000000000000000000000000000000",
            "{00000000-0000-0000-0000-000000000000}",
            &"é".repeat(18),
        ] {
            let fault = Delivery::from_wire(Some(&v1::DeliveryKey { run_id: run_id.into(), sequence: 0 })).unwrap_err();
            assert_eq!((fault.code, fault.field.as_str()), (ErrorCode::BadKey, "delivery.run_id"), "{run_id}");
        }
    }
}
