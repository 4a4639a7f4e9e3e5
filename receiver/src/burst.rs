//! A burst as it arrived at the receiver, checked.

use phy::{Complex, Symbols};
use proto::v1::{self, Burst, ChannelReport, DeliveryKey, Timings};
use schemes::scheme::{InputError, InputErrorKind, ModelCard, TransportFormat};
use wire::convert::{conditions_to_wire, received_from_wire};
use wire::fault::ErrorCode;
use wire::payload_from_wire;
use wire::{Delivery, Fault};

/// Maximum length of a clip identifier, and of a caption, in bytes.
const NAME_BYTES: usize = 1024;

/// A complete and checked burst, which can be decoded and journaled.
#[derive(Clone, Debug)]
pub struct Reception {
    /// The delivery key of the clip; the journal counts each key once.
    pub delivery: Delivery,
    /// The received symbols y, after the channel and before the equaliser (equation (1)).
    pub symbols: Symbols,
    /// The format of the transport block that the symbols carry; `None` if they carry none.
    pub format: Option<TransportFormat>,
    /// The channel coefficient h of the burst (equation (1)).
    pub h: Complex,
    /// The noise variance per complex symbol.
    pub n0: f32,
    /// The channel emulator's report: its conditions, h, noise variance and realised SNR. It is passed on with the
    /// answer.
    pub channel: ChannelReport,
    /// Microseconds that the burst spent in the transmitter and the channel emulator.
    pub timings: Timings,
    /// The client's identifier of the clip; empty if it gave none.
    pub clip_id: String,
    /// The reference label in [−3, 3], for scoring only; it never reaches the decoder. `None` if the clip has no label.
    pub label: Option<f32>,
    /// The transcript of the clip, shown to people who watch; it never reaches the decoder. Empty if there is none.
    pub caption: String,
    /// Whether the sender requests the received and equalised symbols with the answer.
    pub inspect: bool,
}

impl Reception {
    /// Checks a burst against `card`, the model card of the weights being served, which says how many complex symbols
    /// are expected.
    ///
    /// # Errors
    /// Fails with a fault that names the first field that is wrong.
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

/// The wire's fault for an error of a scheme's input.
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
