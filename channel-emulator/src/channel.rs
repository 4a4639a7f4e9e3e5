//! What the channel does to one whole burst.

use phy::{Conditions, NoiseKey, draw, realised_snr_db};
use proto::v1::Burst;
use wire::{Delivery, Fault, convert};

/// Sends `burst` through the channel: its symbols are replaced by the received ones and the report is added. Pinned
/// conditions win over `live` ones; without a noise key the draws follow from `seed`, draw 0 and the sequence number.
///
/// # Errors
/// Names what is wrong with the burst: its delivery key, its conditions or its symbols.
pub fn pass(mut burst: Burst, live: &Conditions, seed: u64) -> Result<Burst, Fault> {
    Delivery::from_wire(burst.delivery.as_ref())?;
    let conditions = match &burst.conditions {
        Some(pinned) => convert::conditions_from_wire(pinned).map_err(|fault| fault.within("conditions"))?,
        None => *live,
    };
    let symbols = convert::symbols_from_wire(&burst.symbols)?;
    let realisation = draw(noise_key(&burst, seed), &conditions, symbols.len());
    let received = realisation.apply(&symbols);
    let realised = realised_snr_db(&symbols, &realisation);
    burst.channel = Some(convert::report_to_wire(&conditions, &received, realised));
    burst.symbols = received.symbols.to_le_bytes().into();
    Ok(burst)
}

/// The noise key of a burst: its own, or `seed`, draw 0 and the sequence number.
pub fn noise_key(burst: &Burst, seed: u64) -> NoiseKey {
    match &burst.noise {
        Some(key) => convert::noise_key_from_wire(key),
        None => NoiseKey { seed, draw: 0, row: burst.delivery.as_ref().map_or(0, |key| key.sequence) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use phy::{SnrDb, Symbols};
    use proto::v1;
    use wire::fault::ErrorCode;

    const LIVE: Conditions = Conditions::None;

    fn burst() -> Burst {
        let symbols = Symbols::new((0..50).map(|k| (k as f32 * 0.7).sin()).collect()).unwrap().normalise();
        Burst {
            delivery: Some(v1::DeliveryKey { run_id: "9e107d9d-372b-4b0c-8f5e-0a5d1f6f1a11".into(), sequence: 3 }),
            symbols: symbols.to_le_bytes().into(),
            ..Burst::default()
        }
    }

    fn pinned(kind: v1::ChannelKind, snr_db: Option<f64>) -> Option<v1::Conditions> {
        Some(v1::Conditions { kind: kind.into(), snr_db, k_factor: None })
    }

    #[test]
    fn pinned_conditions_win_and_the_floats_are_those_of_phy() {
        let snr = SnrDb::try_from(-6.0).unwrap();
        let key = NoiseKey { seed: 5, draw: 2, row: 11 };
        let sent = Burst {
            noise: Some(convert::noise_key_to_wire(key)),
            conditions: pinned(v1::ChannelKind::Rayleigh, Some(-6.0)),
            ..burst()
        };
        let passed = pass(sent.clone(), &LIVE, 0).unwrap();

        let symbols = Symbols::from_le_bytes(&sent.symbols).unwrap();
        let realisation = draw(key, &Conditions::Rayleigh(snr), symbols.len());
        let expected = realisation.apply(&symbols);
        assert_eq!(passed.symbols, expected.symbols.to_le_bytes());
        let report = passed.channel.unwrap();
        assert_eq!((report.h_re, report.h_im, report.n0), (expected.h.re, expected.h.im, expected.n0));
        assert_eq!(report.realised_snr_db, realised_snr_db(&symbols, &realisation));
        assert_eq!(report.conditions, sent.conditions);
    }

    #[test]
    fn without_a_noise_key_seed_and_sequence_stand_for_it() {
        let live = Conditions::Awgn(SnrDb::try_from(0.0).unwrap());
        let key = v1::NoiseKey { seed: 9, draw: 0, row: 3 };
        let keyed = pass(Burst { noise: Some(key), ..burst() }, &live, 0).unwrap();
        let unkeyed = pass(burst(), &live, 9).unwrap();
        assert_eq!(unkeyed.symbols, keyed.symbols);
        assert_ne!(unkeyed.symbols, pass(burst(), &live, 8).unwrap().symbols);
    }

    #[test]
    fn the_noiseless_channel_is_the_identity() {
        let passed = pass(burst(), &LIVE, 0).unwrap();
        assert_eq!(passed.symbols, burst().symbols);
        let report = passed.channel.unwrap();
        assert_eq!((report.h_re, report.h_im, report.n0, report.realised_snr_db), (1.0, 0.0, 0.0, None));
    }

    #[test]
    fn a_bad_burst_is_refused_by_field() {
        type Case = (fn(&mut Burst), ErrorCode, &'static str);
        let cases: [Case; 6] = [
            (|burst| burst.delivery = None, ErrorCode::BadKey, "delivery"),
            (|burst| burst.symbols.clear(), ErrorCode::Empty, "symbols"),
            (|burst| burst.symbols.truncate(12), ErrorCode::Malformed, "symbols"),
            (|burst| burst.symbols = f32::NAN.to_le_bytes().repeat(2).into(), ErrorCode::NotFinite, "symbols"),
            (
                |burst| burst.conditions = pinned(v1::ChannelKind::Awgn, Some(f64::NAN)),
                ErrorCode::BadConditions,
                "conditions.snr_db",
            ),
            (
                |burst| burst.conditions = pinned(v1::ChannelKind::Unspecified, None),
                ErrorCode::BadConditions,
                "conditions.kind",
            ),
        ];
        for (change, code, field) in cases {
            let mut burst = burst();
            change(&mut burst);
            let fault = pass(burst, &LIVE, 0).expect_err(field);
            assert_eq!((fault.code, fault.field.as_str()), (code, field));
        }
    }
}
