//! One burst as a recording's metadata describe it: an annotation with the SigMF namespace `latentlink`.
//!
//! `docs/recordings.md` documents the namespace. Fields are read into their own types, never through a generic value:
//! that is what brings an `f32` back with the bits it had.

use super::Kept;
use bytes::Bytes;
use digests::hex;
use phy::{Conditions, NoiseKey};
use proto::v1::{self, BurstPayload};
use serde::{Deserialize, Serialize};
use wire::chunks::{MAX_SYMBOLS, SYMBOL_BYTES};
use wire::{Delivery, convert};

/// The name of the namespace.
pub const NAMESPACE: &str = "latentlink";
/// Its version.
pub const NAMESPACE_VERSION: &str = "1.1.0";

/// An annotation. Those that carry no delivery key are somebody else's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    #[serde(rename = "core:sample_start")]
    pub sample_start: u64,
    #[serde(rename = "core:sample_count", skip_serializing_if = "Option::is_none")]
    pub sample_count: Option<u64>,
    /// The client's name for the clip.
    #[serde(rename = "core:label", skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(rename = "latentlink:delivery", skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryNote>,
    #[serde(rename = "latentlink:noise", skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseNote>,
    /// The burst carried its noise key; otherwise the emulator's seed and the sequence number stood for it.
    #[serde(rename = "latentlink:noise_given", default)]
    pub noise_given: bool,
    #[serde(rename = "latentlink:channel", skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelNote>,
    /// The burst pinned its conditions; otherwise it met the live ones.
    #[serde(rename = "latentlink:pinned", default)]
    pub pinned: bool,
    /// What it carried for the receiver alone, in hexadecimal digits, as it came. `reference`, `transport` and the label are
    /// in it, too, and stand beside it for people who read.
    #[serde(rename = "latentlink:payload", default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    #[serde(rename = "latentlink:reference", skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceNote>,
    #[serde(rename = "latentlink:timings", skip_serializing_if = "Option::is_none")]
    pub timings: Option<TimingsNote>,
    #[serde(rename = "latentlink:transport", skip_serializing_if = "Option::is_none")]
    pub transport: Option<TransportNote>,
    #[serde(rename = "latentlink:traceparent", skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    #[serde(rename = "latentlink:model_id", skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// When it left the emulator, in microseconds after the capture's `core:datetime`.
    #[serde(rename = "latentlink:time_us", default)]
    pub time_us: u64,
}

/// The delivery key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryNote {
    pub run_id: String,
    pub sequence: u64,
}

/// The noise key that was used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseNote {
    pub seed: u64,
    pub draw: u32,
    pub row: u64,
}

/// What the channel did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelNote {
    pub conditions: Conditions,
    pub h_re: f32,
    pub h_im: f32,
    pub n0: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realised_snr_db: Option<f64>,
}

/// What the receiver is told for the score and for people who watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceNote {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<f32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
}

/// The format of a transport block.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransportNote {
    pub mcs: u32,
    pub bytes: u32,
}

/// Microseconds in the processes up to the emulator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimingsNote {
    pub transmitter_us: u64,
    pub emulator_us: u64,
}

impl Annotation {
    /// Of a burst whose first symbol is sample `sample_start`.
    pub fn of(kept: &Kept, sample_start: u64, time_us: u64) -> Annotation {
        let Kept { burst, noise, .. } = kept;
        // A payload of a later version may be none of this one; it is recorded all the same.
        let BurstPayload { reference, transport, .. } = wire::payload_from_wire(burst).unwrap_or_default();
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let channel = burst.channel.as_ref().and_then(|report| {
            let conditions = convert::conditions_from_wire(report.conditions.as_ref()?).ok()?;
            let v1::ChannelReport { h_re, h_im, n0, realised_snr_db, .. } = *report;
            Some(ChannelNote { conditions, h_re, h_im, n0, realised_snr_db })
        });
        Annotation {
            sample_start,
            sample_count: Some((burst.symbols.len() / SYMBOL_BYTES) as u64),
            label: reference.as_ref().and_then(|reference| text(&reference.clip_id)),
            delivery: burst
                .delivery
                .as_ref()
                .map(|key| DeliveryNote { run_id: key.run_id.clone(), sequence: key.sequence }),
            noise: Some(NoiseNote { seed: noise.seed, draw: noise.draw, row: noise.row }),
            noise_given: burst.noise.is_some(),
            channel,
            pinned: burst.conditions.is_some(),
            payload: Some(hex(&burst.payload)).filter(|payload| !payload.is_empty()),
            reference: reference
                .as_ref()
                .map(|reference| ReferenceNote { label: reference.label, caption: reference.caption.clone() }),
            timings: burst.timings.map(|timings| TimingsNote {
                transmitter_us: timings.transmitter_us,
                emulator_us: timings.emulator_us,
            }),
            transport: transport.map(|format| TransportNote { mcs: format.mcs, bytes: format.bytes }),
            traceparent: burst.traceparent.clone(),
            model_id: text(&kept.model_id),
            time_us,
        }
    }

    /// Where its samples lie among the `available` ones of the data: the first one's number and how many.
    ///
    /// # Errors
    /// What is wrong with the range.
    pub fn samples(&self, available: u64) -> Result<(u64, usize), String> {
        let count = self.sample_count.ok_or("core:sample_count is missing")?;
        if count == 0 || count > MAX_SYMBOLS as u64 {
            return Err(format!("expected a core:sample_count in 1..={MAX_SYMBOLS}, got {count}"));
        }
        match self.sample_start.checked_add(count) {
            Some(end) if end <= available => Ok((self.sample_start, count as usize)),
            _ => Err(format!(
                "samples {} and the {count} from there on are annotated, but the data hold {available} samples",
                self.sample_start
            )),
        }
    }

    /// The burst that it describes, as it was relayed, with `symbols` of either side of the channel. `None` if it
    /// describes none.
    ///
    /// # Errors
    /// The field that is wrong or missing.
    pub fn into_recorded(self, symbols: Bytes) -> Result<Option<Recorded>, String> {
        let Some(delivery) = self.delivery else { return Ok(None) };
        let key = v1::DeliveryKey { run_id: delivery.run_id, sequence: delivery.sequence };
        let delivery = Delivery::from_wire(Some(&key)).map_err(|fault| format!("latentlink:{fault}"))?;
        convert::symbols_from_wire(&symbols).map_err(|fault| fault.to_string())?;
        let missing = |field: &str| format!("latentlink:{field} is missing");
        let noise = self.noise.ok_or_else(|| missing("noise"))?;
        let channel = self.channel.ok_or_else(|| missing("channel"))?;
        let conditions = convert::conditions_to_wire(&channel.conditions);
        let ChannelNote { h_re, h_im, n0, realised_snr_db, .. } = channel;
        let report = v1::ChannelReport { conditions: Some(conditions), h_re, h_im, n0, realised_snr_db };
        convert::received_from_wire(Some(&report), &symbols).map_err(|fault| format!("latentlink:{fault}"))?;
        let noise = convert::noise_key_to_wire(NoiseKey { seed: noise.seed, draw: noise.draw, row: noise.row });
        let clip_id = self.label;
        let reference = self.reference.map(|reference| v1::Reference {
            clip_id: clip_id.unwrap_or_default(),
            label: reference.label,
            caption: reference.caption,
        });
        let transport = self.transport.map(|format| v1::TransportFormat { mcs: format.mcs, bytes: format.bytes });
        let payload = match self.payload {
            Some(payload) => unhex(&payload).ok_or("latentlink:payload: expected pairs of hexadecimal digits")?.into(),
            // A recording of version 1.0 has no more than these.
            None => wire::payload_to_wire(&BurstPayload { transport, reference, inspect: false }),
        };
        let burst = v1::Burst {
            delivery: Some(key),
            noise: self.noise_given.then_some(noise),
            symbols,
            conditions: self.pinned.then_some(conditions),
            channel: Some(report),
            timings: self.timings.map(|timings| v1::Timings {
                transmitter_us: timings.transmitter_us,
                emulator_us: timings.emulator_us,
                receiver_us: 0,
            }),
            traceparent: self.traceparent,
            payload,
            chunks_following: 0,
        };
        Ok(Some(Recorded { delivery, burst, noise, model_id: self.model_id.unwrap_or_default() }))
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |&[high, low]: &[u8; 2]| Some((digit(high)? * 16 + digit(low)?) as u8);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// A burst out of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its delivery key, checked.
    pub delivery: Delivery,
    /// As the emulator sent it on, but for the symbols if they are those that came in.
    pub burst: v1::Burst,
    /// The noise key that was used, given or not.
    pub noise: v1::NoiseKey,
    /// Of the weights it was sent with.
    pub model_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use phy::SnrDb;
    use std::time::Instant;

    fn kept(h: (f32, f32), n0: f32, given: bool) -> Kept {
        let conditions = convert::conditions_to_wire(&Conditions::Rayleigh(SnrDb::try_from(-7.3).unwrap()));
        let burst = v1::Burst {
            delivery: Some(v1::DeliveryKey {
                run_id: "9e107d9d-372b-4b0c-8f5e-0a5d1f6f1a11".into(),
                sequence: u64::MAX,
            }),
            noise: given.then_some(v1::NoiseKey { seed: u64::MAX, draw: u32::MAX, row: 1 << 60 }),
            symbols: [0.1f32, -0.7, 1e-42, f32::MAX].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>().into(),
            conditions: given.then_some(conditions),
            channel: Some(v1::ChannelReport {
                conditions: Some(conditions),
                h_re: h.0,
                h_im: h.1,
                n0,
                realised_snr_db: given.then_some(-7.123456789012345),
            }),
            timings: given.then_some(v1::Timings { transmitter_us: 7, emulator_us: 9, receiver_us: 0 }),
            payload: wire::payload_to_wire(&BurstPayload {
                reference: given.then(|| v1::Reference {
                    clip_id: "a \"clip\"\n\u{1F600}".into(),
                    label: Some(-1.1),
                    caption: "was für ein Film\u{0}".into(),
                }),
                transport: given.then_some(v1::TransportFormat { mcs: 4, bytes: 1234 }),
                inspect: given,
            }),
            traceparent: given.then(|| "00-1-2-01".into()),
            ..v1::Burst::default()
        };
        let noise = NoiseKey { seed: u64::MAX, draw: u32::MAX, row: 1 << 60 };
        Kept { input: burst.symbols.clone(), burst, noise, model_id: "model".into(), at: Instant::now() }
    }

    #[test]
    fn a_burst_comes_back_with_the_bits_it_had() {
        // Values all over the range of f32, subnormal ones included.
        let bits = |k: u32| f32::from_bits(k.wrapping_mul(2_654_435_761) & 0x7fff_ffff);
        let values = (0..20_000).map(bits).filter(|v| v.is_finite());
        for (k, value) in values.enumerate() {
            let kept = kept((value, -value), value, k % 2 == 0);
            let text = serde_json::to_string(&Annotation::of(&kept, 4, 5)).unwrap();
            let annotation: Annotation = serde_json::from_str(&text).unwrap();
            assert_eq!(annotation.samples(6), Ok((4, 2)));
            let recorded = annotation.into_recorded(kept.burst.symbols.clone()).unwrap().unwrap();
            assert_eq!(recorded.burst, kept.burst, "{text}");
            assert_eq!((recorded.noise.seed, recorded.model_id.as_str()), (u64::MAX, "model"));
        }
    }

    #[test]
    fn a_payload_that_is_none_of_ours_comes_back_as_it_was() {
        let mut kept = kept((1.0, 0.0), 1.0, true);
        // A field of number 9, and bytes that are no message at all.
        for payload in [&[0x4a, 2, 7, 8][..], &[0xff, 0, 1][..]] {
            kept.burst.payload = Bytes::copy_from_slice(payload);
            let text = serde_json::to_string(&Annotation::of(&kept, 0, 0)).unwrap();
            let annotation: Annotation = serde_json::from_str(&text).unwrap();
            let recorded = annotation.into_recorded(kept.burst.symbols.clone()).unwrap().unwrap();
            assert_eq!(recorded.burst.payload, payload);
        }
    }

    #[test]
    fn a_recording_without_payloads_has_what_it_says() {
        let kept = kept((1.0, 0.0), 1.0, true);
        let mut annotation = Annotation::of(&kept, 0, 0);
        annotation.payload = None;
        let recorded = annotation.into_recorded(kept.burst.symbols.clone()).unwrap().unwrap();
        let (old, new) = (wire::payload_from_wire(&recorded.burst), wire::payload_from_wire(&kept.burst));
        assert_eq!(old, new.map(|payload| BurstPayload { inspect: false, ..payload }));
    }

    #[test]
    fn what_lies_beyond_the_data_is_refused() {
        let mut annotation = Annotation::of(&kept((1.0, 0.0), 1.0, true), 0, 0);
        for (start, count) in [(5, Some(2)), (u64::MAX, Some(1)), (0, Some(u64::MAX)), (0, Some(0)), (0, None)] {
            (annotation.sample_start, annotation.sample_count) = (start, count);
            assert!(annotation.samples(6).unwrap_err().contains("sample"), "{start} {count:?}");
        }
    }
}
