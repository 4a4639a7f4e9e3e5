//! The delivery key: which clip of which run an item is, for acknowledgement and for counting once.

use crate::fault::{ErrorCode, Fault};
use proto::v1;
use uuid::Uuid;

/// A checked delivery key. Assigned by the client, unique over a whole sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// The run.
    pub run: Uuid,
    /// The item within the run.
    pub sequence: u64,
}

impl Delivery {
    /// From the wire.
    ///
    /// # Errors
    /// A fault of `delivery` if it is missing, of `delivery.run_id` if that is no UUID in its usual text form.
    pub fn from_wire(key: Option<&v1::DeliveryKey>) -> Result<Self, Fault> {
        let bad = |field: &str, message: String| Fault::new(ErrorCode::BadKey, field, message);
        let key = key.ok_or_else(|| bad("delivery", "a delivery key is required".into()))?;
        // The parser would take other forms (braces, no hyphens), which then would not be answered as they were sent.
        let run = Some(&key.run_id).filter(|id| id.len() == 36).and_then(|id| Uuid::try_parse(id).ok());
        let run = run.ok_or_else(|| {
            let shown: String = key.run_id.chars().take(40).collect();
            bad("delivery.run_id", format!("expected a UUID such as {}, got `{}`", Uuid::nil(), shown.escape_debug()))
        })?;
        Ok(Delivery { run, sequence: key.sequence })
    }

    /// To the wire.
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
