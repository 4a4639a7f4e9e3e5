//! Converts messages of the wire to the types of `phy` and `metrics`, and back. Values from the wire are checked;
//! values to the wire are valid by their types.

use crate::chunks::SYMBOL_BYTES;
use crate::fault::{ErrorCode, Fault};
use metrics::Prediction;
use phy::{ChannelKind, Complex, Conditions, ConditionsError, NoiseKey, Received, SnrDb, Symbols, SymbolsError};
use proto::v1;

/// Checks channel conditions from the wire.
///
/// # Errors
/// BAD_CONDITIONS for an unknown kind, an SNR that is missing, not finite, beyond ±200 dB or given for a noiseless
/// channel, a K factor that is missing, negative, not finite or given for another kind than Rician. The field is one of
/// `kind`, `snr_db`, `k_factor`.
pub fn conditions_from_wire(wire: &v1::Conditions) -> Result<Conditions, Fault> {
    let kind = kind_from_wire(wire.kind)?;
    let snr_db = wire.snr_db.map(snr_from_wire).transpose()?;
    Conditions::new(kind, snr_db, wire.k_factor).map_err(fault_of_conditions)
}

fn bad_conditions(field: &str, message: String) -> Fault {
    Fault::new(ErrorCode::BadConditions, field, message)
}

fn kind_from_wire(kind: i32) -> Result<ChannelKind, Fault> {
    match v1::ChannelKind::try_from(kind) {
        Ok(v1::ChannelKind::None) => Ok(ChannelKind::None),
        Ok(v1::ChannelKind::Awgn) => Ok(ChannelKind::Awgn),
        Ok(v1::ChannelKind::Rayleigh) => Ok(ChannelKind::Rayleigh),
        Ok(v1::ChannelKind::Rician) => Ok(ChannelKind::Rician),
        Ok(v1::ChannelKind::Unspecified) => Err(bad_conditions("kind", "a channel kind is required".into())),
        Err(_) => Err(bad_conditions("kind", format!("unknown channel kind {kind}"))),
    }
}

fn snr_from_wire(db: f64) -> Result<SnrDb, Fault> {
    SnrDb::try_from(db).map_err(|error| bad_conditions("snr_db", error.to_string()))
}

fn fault_of_conditions(error: ConditionsError) -> Fault {
    let field = match &error {
        ConditionsError::UnknownKind(_) => "kind",
        ConditionsError::MissingSnr(_) | ConditionsError::UnexpectedSnr(_) => "snr_db",
        ConditionsError::MissingKFactor
        | ConditionsError::UnexpectedKFactor { .. }
        | ConditionsError::BadKFactor(_) => "k_factor",
    };
    bad_conditions(field, error.to_string())
}

/// The channel conditions as a message of the wire.
pub fn conditions_to_wire(conditions: &Conditions) -> v1::Conditions {
    let kind = match conditions.kind() {
        ChannelKind::None => v1::ChannelKind::None,
        ChannelKind::Awgn => v1::ChannelKind::Awgn,
        ChannelKind::Rayleigh => v1::ChannelKind::Rayleigh,
        ChannelKind::Rician => v1::ChannelKind::Rician,
    };
    v1::Conditions { kind: kind.into(), snr_db: conditions.snr_db().map(SnrDb::db), k_factor: conditions.k_factor() }
}

/// Checks the channel conditions of a response, which are required; `None` stands for missing ones.
///
/// # Errors
/// BAD_CONDITIONS: a fault of `conditions` if they are missing, or the fault of [`conditions_from_wire`].
pub fn required_conditions(wire: Option<&v1::Conditions>) -> Result<Conditions, Fault> {
    let missing = || Fault::new(ErrorCode::BadConditions, "conditions", "the conditions are missing");
    conditions_from_wire(wire.ok_or_else(missing)?)
}

/// The conditions `current` with the changes of `request`. An SNR or K factor that is not given is kept where the new
/// kind has one.
///
/// # Errors
/// BAD_CONDITIONS if a value is invalid, or the result has a value too few or too many for its kind. The field is one
/// of `kind`, `snr_db`, `k_factor`.
pub fn changed_conditions(current: &Conditions, request: &v1::SetConditionsRequest) -> Result<Conditions, Fault> {
    let kind = request.kind.map(kind_from_wire).transpose()?;
    let snr_db = request.snr_db.map(snr_from_wire).transpose()?;
    current.changed(kind, snr_db, request.k_factor).map_err(fault_of_conditions)
}

/// The request that sets the live conditions to `conditions`, whatever they are. With a `version` it fails unless the
/// live conditions still have that version.
pub fn change_to(conditions: &Conditions, version: Option<u64>) -> v1::SetConditionsRequest {
    let v1::Conditions { kind, snr_db, k_factor } = conditions_to_wire(conditions);
    v1::SetConditionsRequest { kind: Some(kind), snr_db, k_factor, version }
}

/// The noise key of a message of the wire, in which all values are valid.
pub fn noise_key_from_wire(wire: &v1::NoiseKey) -> NoiseKey {
    NoiseKey { seed: wire.seed, draw: wire.draw, row: wire.row }
}

/// The noise key as a message of the wire.
pub fn noise_key_to_wire(key: NoiseKey) -> v1::NoiseKey {
    v1::NoiseKey { seed: key.seed, draw: key.draw, row: key.row }
}

/// Checks the symbols of a whole burst from the wire: little-endian `f32`, I then Q, 8 bytes a symbol.
///
/// # Errors
/// A fault of `symbols`: EMPTY without bytes, MALFORMED if they are not a multiple of 8, NOT_FINITE if a value is NaN
/// or infinite.
pub fn symbols_from_wire(bytes: &[u8]) -> Result<Symbols, Fault> {
    Symbols::from_le_bytes(bytes).map_err(|error| {
        let code = match error {
            SymbolsError::Empty => ErrorCode::Empty,
            SymbolsError::NotFinite { .. } => ErrorCode::NotFinite,
            SymbolsError::OddLength(_) | SymbolsError::RaggedBytes(_) => ErrorCode::Malformed,
        };
        Fault::new(code, "symbols", error.to_string())
    })
}

/// The largest number of symbols of a burst in an inspection.
pub const MAX_SHOWN_SYMBOLS: usize = 1024;

/// The bytes of the first [`MAX_SHOWN_SYMBOLS`] symbols of a burst, for an inspection: little-endian `f32`, I then Q, 8
/// bytes a symbol.
pub fn shown_symbols(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(MAX_SHOWN_SYMBOLS * SYMBOL_BYTES)].to_vec()
}

/// The channel report of one burst as a message of the wire: its conditions, the coefficient h and noise variance N0 of
/// `received`, and the realised SNR in dB, which is `None` for the noiseless channel.
pub fn report_to_wire(conditions: &Conditions, received: &Received, realised_snr_db: Option<f64>) -> v1::ChannelReport {
    v1::ChannelReport {
        conditions: Some(conditions_to_wire(conditions)),
        h_re: received.h.re,
        h_im: received.h.im,
        n0: received.n0,
        realised_snr_db,
    }
}

/// Checks a received burst from the wire: its symbols y as bytes, and the channel report of the emulator. Returns the
/// burst and the channel conditions under which it was sent.
///
/// # Errors
/// A fault of `channel` if the report is missing; of `channel.conditions…`, `channel.h` or `channel.n0` if they are
/// missing or invalid; of `symbols` if [`symbols_from_wire`] fails.
pub fn received_from_wire(report: Option<&v1::ChannelReport>, symbols: &[u8]) -> Result<(Received, Conditions), Fault> {
    let bad = |code, field: &str, message: String| Fault::new(code, field, message).within("channel");
    let report = report.ok_or_else(|| {
        Fault::new(ErrorCode::BadConditions, "channel", "a burst needs the report of the channel it went through")
    })?;
    let conditions = report
        .conditions
        .as_ref()
        .ok_or_else(|| bad(ErrorCode::BadConditions, "conditions", "the conditions are missing".into()))?;
    let conditions = conditions_from_wire(conditions).map_err(|fault| fault.within("channel.conditions"))?;
    let h = Complex::new(report.h_re, report.h_im);
    if !h.is_finite() {
        return Err(bad(ErrorCode::NotFinite, "h", format!("expected a finite coefficient, got {} {}", h.re, h.im)));
    }
    if !report.n0.is_finite() {
        return Err(bad(ErrorCode::NotFinite, "n0", format!("expected a finite variance, got {}", report.n0)));
    }
    if report.n0 < 0.0 {
        return Err(bad(ErrorCode::BadConditions, "n0", format!("a variance is not negative, got {}", report.n0)));
    }
    Ok((Received { symbols: symbols_from_wire(symbols)?, h, n0: report.n0 }, conditions))
}

/// Checks a prediction of a sentiment score from the wire.
///
/// # Errors
/// A MALFORMED fault of `prediction…` if the distribution does not have seven outcomes, the score is missing, a
/// probability is outside \[0, 1\] by more than 0.001, or the median is outside \[−3, 3\].
pub fn prediction_from_wire(wire: &v1::Prediction) -> Result<Prediction, Fault> {
    let bad = |code, field: &str, message: String| Fault::new(code, field, message).within("prediction");
    let outcomes = wire.distribution.len();
    let classes: [f32; 7] = wire.distribution[..].try_into().map_err(|_| {
        bad(ErrorCode::Malformed, "distribution", format!("expected probabilities of 7 outcomes, got {outcomes}"))
    })?;
    let missing = || bad(ErrorCode::Malformed, "score", "the prediction of a score is missing".into());
    let v1::ScorePrediction { median, p_neg, p_zero, p_pos } = wire.score.ok_or_else(missing)?;
    let probabilities = [("score.p_neg", p_neg), ("score.p_zero", p_zero), ("score.p_pos", p_pos)];
    for (field, value) in probabilities.into_iter().chain(classes.map(|value| ("distribution", value))) {
        // Sums of probabilities may exceed 1 by rounding. A NaN lies in no range.
        if !(-1e-3..=1.001).contains(&value) {
            return Err(bad(ErrorCode::Malformed, field, format!("expected a probability, got {value}")));
        }
    }
    if !(-3.0..=3.0).contains(&median) {
        return Err(bad(ErrorCode::Malformed, "score.median", format!("expected a score in [-3, 3], got {median}")));
    }
    Ok(Prediction { p_neg, p_zero, p_pos, classes, score: median })
}

/// The prediction of a sentiment score as a message of the wire.
pub fn prediction_to_wire(prediction: &Prediction) -> v1::Prediction {
    let Prediction { p_neg, p_zero, p_pos, classes, score } = *prediction;
    v1::Prediction {
        distribution: classes.to_vec(),
        score: Some(v1::ScorePrediction { median: score, p_neg, p_zero, p_pos }),
    }
}

/// The task of a corpus that names none: the sentiment score in \[−3, 3\], with the seven integers as named anchors.
pub fn sentiment_task() -> v1::Task {
    const ANCHORS: [(f64, &str); 7] = [
        (-3.0, "strongly negative"),
        (-2.0, "negative"),
        (-1.0, "weakly negative"),
        (0.0, "neutral"),
        (1.0, "weakly positive"),
        (2.0, "positive"),
        (3.0, "strongly positive"),
    ];
    let anchors = ANCHORS.map(|(value, name)| v1::Anchor { value, name: name.into() }).to_vec();
    v1::Task { kind: Some(v1::task::Kind::Score(v1::ScoreTask { low: -3.0, high: 3.0, anchors })) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(kind: i32, snr_db: Option<f64>, k_factor: Option<f64>) -> v1::Conditions {
        v1::Conditions { kind, snr_db, k_factor }
    }

    #[test]
    fn conditions_survive_the_wire() {
        let snr = SnrDb::try_from(-7.5).unwrap();
        let rician = Conditions::new(ChannelKind::Rician, Some(snr), Some(3.0)).unwrap();
        for conditions in [Conditions::None, Conditions::Awgn(snr), Conditions::Rayleigh(snr), rician] {
            assert_eq!(conditions_from_wire(&conditions_to_wire(&conditions)), Ok(conditions));
        }
    }

    #[test]
    fn hostile_conditions_are_refused() {
        for (conditions, field) in [
            (wire(0, Some(1.0), None), "kind"),
            (wire(99, Some(1.0), None), "kind"),
            (wire(-1, Some(1.0), None), "kind"),
            (wire(2, None, None), "snr_db"),
            (wire(2, Some(f64::NAN), None), "snr_db"),
            (wire(2, Some(f64::INFINITY), None), "snr_db"),
            (wire(3, Some(200.1), None), "snr_db"),
            (wire(3, Some(-1e300), None), "snr_db"),
            (wire(1, Some(0.0), None), "snr_db"),
            (wire(4, Some(0.0), None), "k_factor"),
            (wire(4, Some(0.0), Some(-1.0)), "k_factor"),
            (wire(4, Some(0.0), Some(f64::NAN)), "k_factor"),
            (wire(3, Some(0.0), Some(1.0)), "k_factor"),
        ] {
            let fault = conditions_from_wire(&conditions).expect_err(&format!("{conditions:?}"));
            assert_eq!((fault.code, fault.field.as_str()), (ErrorCode::BadConditions, field), "{conditions:?}");
        }
    }

    #[test]
    fn hostile_symbols_are_refused() {
        for (bytes, code) in [
            (vec![], ErrorCode::Empty),
            (vec![0; 12], ErrorCode::Malformed),
            ([f32::NAN, 0.0].map(f32::to_le_bytes).concat(), ErrorCode::NotFinite),
            ([0.0, f32::NEG_INFINITY].map(f32::to_le_bytes).concat(), ErrorCode::NotFinite),
        ] {
            let fault = symbols_from_wire(&bytes).unwrap_err();
            assert_eq!((fault.code, fault.field.as_str()), (code, "symbols"));
        }
        assert_eq!(symbols_from_wire(&[0; 16]).unwrap().len(), 2);
    }

    #[test]
    fn a_channel_report_survives_and_a_hostile_one_is_refused() {
        let conditions = Conditions::Rayleigh(SnrDb::try_from(3.0).unwrap());
        let symbols = Symbols::new(vec![1.0, -1.0]).unwrap();
        let received = Received { symbols, h: Complex::new(0.5, -0.25), n0: 0.5 };
        let report = report_to_wire(&conditions, &received, Some(2.5));
        let bytes = received.symbols.to_le_bytes();
        assert_eq!(received_from_wire(Some(&report), &bytes), Ok((received, conditions)));

        assert_eq!(received_from_wire(None, &bytes).unwrap_err().field, "channel");
        let hostile = |change: fn(&mut v1::ChannelReport)| {
            let mut report = report;
            change(&mut report);
            received_from_wire(Some(&report), &bytes).unwrap_err().field
        };
        assert_eq!(hostile(|report| report.conditions = None), "channel.conditions");
        assert_eq!(hostile(|report| report.conditions.as_mut().unwrap().snr_db = None), "channel.conditions.snr_db");
        assert_eq!(hostile(|report| report.h_im = f32::NAN), "channel.h");
        assert_eq!(hostile(|report| report.n0 = f32::INFINITY), "channel.n0");
        assert_eq!(hostile(|report| report.n0 = -0.1), "channel.n0");
    }

    #[test]
    fn a_prediction_survives_and_a_hostile_one_is_refused() {
        let prediction = Prediction { p_neg: 0.25, p_zero: 0.25, p_pos: 0.5, classes: [0.125; 7], score: -1.5 };
        let wire = prediction_to_wire(&prediction);
        assert_eq!(prediction_from_wire(&wire), Ok(prediction));
        let hostile = |change: fn(&mut v1::Prediction)| {
            let mut wire = wire.clone();
            change(&mut wire);
            prediction_from_wire(&wire).unwrap_err().field
        };
        assert_eq!(hostile(|wire| wire.distribution.truncate(6)), "prediction.distribution");
        assert_eq!(hostile(|wire| wire.distribution[3] = f32::NAN), "prediction.distribution");
        assert_eq!(hostile(|wire| wire.score = None), "prediction.score");
        assert_eq!(hostile(|wire| wire.score.as_mut().unwrap().p_pos = 2.0), "prediction.score.p_pos");
        assert_eq!(hostile(|wire| wire.score.as_mut().unwrap().median = f32::INFINITY), "prediction.score.median");
    }
}
