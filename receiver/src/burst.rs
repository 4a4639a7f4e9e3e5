//! A burst as it came in, checked.

use phy::{Complex, Symbols};
use proto::v1::{self, Burst, ChannelReport, DeliveryKey, Timings};
use schemes::scheme::{InputError, InputErrorKind, ModelCard, TransportFormat};
use wire::convert::{conditions_to_wire, received_from_wire};
use wire::fault::ErrorCode;
use wire::payload_from_wire;
use wire::{Delivery, Fault};

/// The longest clip id, and the longest caption, that is journaled, in bytes.
const NAME_BYTES: usize = 1024;

/// A whole burst that can be decoded and journaled.
#[derive(Clone, Debug)]
pub struct Reception {
    /// Counted once.
    pub delivery: Delivery,
    /// y, behind the channel.
    pub symbols: Symbols,
    /// Of a transport block.
    pub format: Option<TransportFormat>,
    /// The channel coefficient.
    pub h: Complex,
    /// Noise variance per complex symbol.
    pub n0: f32,
    /// What the emulator did, as it is passed on.
    pub channel: ChannelReport,
    /// Microseconds in the processes before this one.
    pub timings: Timings,
    /// The client's name for the clip.
    pub clip_id: String,
    /// The reference label in [−3, 3]. For scoring: it never reaches the decoder.
    pub label: Option<f32>,
    /// What was said, for people who watch. It never reaches the decoder either.
    pub caption: String,
    /// The symbols are wanted with the answer.
    pub inspect: bool,
}

impl Reception {
    /// Checks a burst for the weights that `card` describes, which says how many complex symbols are expected.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(delivery: Option<&DeliveryKey>, burst: Burst, card: &ModelCard) -> Result<Self, Fault> {
        let delivery = Delivery::from_wire(delivery)?;
        let (received, conditions) = received_from_wire(burst.channel.as_ref(), &burst.symbols)?;
        let payload = payload_from_wire(&burst)?;
        let format = payload.transport.map(format_from_wire).transpose()?;
        card.check_length(received.symbols.len(), format).map_err(fault_of)?;
        let realised_snr_db = burst.channel.and_then(|report| report.realised_snr_db);
        if let Some(db) = realised_snr_db.filter(|db| !db.is_finite()) {
            let problem = format!("expected a finite number of dB, got {db}");
            return Err(Fault::new(ErrorCode::NotFinite, "channel.realised_snr_db", problem));
        }
        let reference = payload.reference.unwrap_or_default();
        for (field, text) in [("reference.clip_id", &reference.clip_id), ("reference.caption", &reference.caption)] {
            if text.len() > NAME_BYTES {
                let problem = format!("at most {NAME_BYTES} bytes are accepted, got {}", text.len());
                return Err(Fault::new(ErrorCode::TooLong, field, problem));
            }
        }
        if let Some(label) = reference.label.filter(|label| !(-3.0..=3.0).contains(label)) {
            let code = if label.is_finite() { ErrorCode::Malformed } else { ErrorCode::NotFinite };
            return Err(Fault::new(code, "reference.label", format!("expected a label in [-3, 3], got {label}")));
        }
        Ok(Reception {
            delivery,
            h: received.h,
            n0: received.n0,
            channel: ChannelReport {
                conditions: Some(conditions_to_wire(&conditions)),
                h_re: received.h.re,
                h_im: received.h.im,
                n0: received.n0,
                realised_snr_db,
            },
            symbols: received.symbols,
            format,
            timings: burst.timings.unwrap_or_default(),
            clip_id: reference.clip_id,
            label: reference.label,
            caption: reference.caption,
            inspect: payload.inspect,
        })
    }
}

fn format_from_wire(wire: v1::TransportFormat) -> Result<TransportFormat, Fault> {
    let mcs = u8::try_from(wire.mcs);
    let mcs =
        mcs.map_err(|_| Fault::new(ErrorCode::Unsupported, "transport.mcs", format!("no such MCS: {}", wire.mcs)))?;
    Ok(TransportFormat { mcs, bytes: wire.bytes })
}

/// Why an item is refused, as the wire says it.
pub fn fault_of(error: InputError) -> Fault {
    let code = match error.kind {
        InputErrorKind::WrongWidth => ErrorCode::WrongWidth,
        InputErrorKind::NotFinite => ErrorCode::NotFinite,
        InputErrorKind::Empty => ErrorCode::Empty,
        InputErrorKind::TooLong => ErrorCode::TooLong,
        InputErrorKind::Unsupported => ErrorCode::Unsupported,
        InputErrorKind::WrongLength => ErrorCode::WrongLength,
        InputErrorKind::Damaged => ErrorCode::Malformed,
        InputErrorKind::Internal => ErrorCode::Internal,
    };
    Fault::new(code, error.field, error.message)
}
