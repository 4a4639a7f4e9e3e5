use super::*;
use crate::Prediction;

fn context() -> Context {
    Context {
        scheme: "proposed".into(),
        corpus: "builtin".into(),
        split: "test".into(),
        equaliser: "mmse".into(),
        training_snr_db: Some((-15.0, 21.0)),
        symbols: 25,
        model_id: "abc".into(),
        seed: 3,
        training_seed: Some(7),
    }
}

/// A clip that is said to be positive with probability `p_pos`.
fn row(clip: u64, draw: u32, point: (&str, Option<f64>), label: f32, p_pos: f32) -> PredictionRow {
    let mut classes = [0.0; 7];
    classes[if p_pos > 0.5 { 4 } else { 2 }] = 1.0;
    let score = if p_pos > 0.5 { 1.0 } else { -1.0 };
    PredictionRow {
        id: format!("clip {clip}"),
        row: clip,
        draw,
        channel: point.0.into(),
        snr_db: point.1,
        label,
        prediction: Prediction { p_neg: 1.0 - p_pos, p_zero: 0.0, p_pos, classes, score },
        h_re: 1.0,
        h_im: 0.0,
    }
}

/// Four clips, of which one has label 0, noiseless and in two draws of AWGN and of Rayleigh.
fn rows() -> Vec<PredictionRow> {
    let labels = [1.0, -1.0, 2.0, 0.0];
    let mut rows = Vec::new();
    for (clip, label) in labels.into_iter().enumerate() {
        let clip = clip as u64;
        rows.push(row(clip, 0, ("none", None), label, if label > 0.0 { 0.9 } else { 0.2 }));
        for draw in [0, 1] {
            // Draw 0 misses clip 0.
            let p_pos = if label > 0.0 && (clip, draw) != (0, 0) { 0.9 } else { 0.2 };
            rows.push(row(clip, draw, ("rayleigh", Some(-18.0)), label, p_pos));
            rows.push(row(clip, draw, ("awgn", Some(3.0)), label, p_pos));
            rows.push(row(clip, draw, ("awgn", Some(-3.0)), label, p_pos));
        }
    }
    rows
}

#[test]
fn records_score_each_point() {
    let records = records(&rows(), &context(), None);
    let points: Vec<_> = records.iter().map(|r| (r.channel.as_str(), r.snr_db)).collect();
    assert_eq!(points, [("none", None), ("awgn", Some(-3.0)), ("awgn", Some(3.0)), ("rayleigh", Some(-18.0))]);
    let none = &records[0];
    assert_eq!((none.clips, none.draws, none.acc2_pos, none.acc2_pos_sd), (4, 1, Some(1.0), None));
    assert_eq!((none.acc2_nonneg, none.acc7, none.mae), (Some(0.75), Some(0.5), Some(0.5)));
    assert_eq!((none.in_training_range, none.reference_acc2), (None, None));
    assert_eq!(none.acc2_pos_interval, wilson(3, 3));
    let awgn = &records[1];
    assert_eq!((awgn.clips, awgn.draws, awgn.in_training_range), (4, 2, Some(true)));
    assert!((awgn.acc2_pos.unwrap() - 5.0 / 6.0).abs() < 1e-15);
    // Draws reach 2/3 and 1.
    assert!((awgn.acc2_pos_sd.unwrap() - (1.0 / 3.0) / 2f64.sqrt()).abs() < 1e-15);
    // Clips reach 1/2, 1, 1.
    let interval = awgn.acc2_pos_interval.unwrap();
    assert!((interval.estimate - 5.0 / 6.0).abs() < 1e-15);
    assert_eq!(interval, mean_interval(&[0.5, 1.0, 1.0]).unwrap());
    assert_eq!(records[3].in_training_range, Some(false));
}

#[test]
fn the_reference_stands_on_the_noiseless_rows() {
    let all = rows();
    let (noiseless, noisy): (Vec<_>, Vec<_>) = all.clone().into_iter().partition(|r| r.channel == "none");
    let source = crate::Source { q: 2.0 / 3.0, p1: 1.0, p0: 1.0 };
    let expected = matched_filter(&source, 25, -18.0, Fading::Rayleigh);
    let reference = |records: Vec<Record>| records.last().unwrap().reference_acc2;
    assert_eq!(reference(records(&all, &context(), None)), Some(expected));
    assert_eq!(reference(records(&noisy, &context(), Some(&noiseless))), Some(expected));
    assert_eq!(reference(records(&noisy, &context(), None)), None);
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let mut all = rows();
    for (k, row) in all.iter_mut().enumerate() {
        row.prediction.score += 0.1 * (k % 7) as f32;
    }
    let expected = records(&all, &context(), None);
    all.reverse();
    assert_eq!(records(&all, &context(), None), expected);
}

#[test]
fn json_has_exactly_the_fields_in_order() {
    let record = &records(&rows(), &context(), None)[0];
    let text = serde_json::to_string(record).unwrap();
    let fields = [
        "scheme",
        "corpus",
        "split",
        "channel",
        "snr_db",
        "equaliser",
        "in_training_range",
        "clips",
        "draws",
        "acc2_nonneg",
        "acc2_pos",
        "acc2_pos_sd",
        "f1_nonneg",
        "f1_pos",
        "acc7",
        "acc7_rounded",
        "mae",
        "corr",
        "mae_nonzero",
        "corr_nonzero",
        "reference_acc2",
        "ece",
        "seed",
        "model_id",
        "training_seed",
        "symbols",
        "channel_uses",
        "clips_nonzero",
    ];
    let mut from = 0;
    for field in fields {
        let at = text[from..].find(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field} in {text}"));
        from += at;
    }
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value.as_object().unwrap().len(), fields.len());
    assert!(value["snr_db"].is_null() && value["acc2_pos_sd"].is_null());
    assert_eq!(
        (&value["training_seed"], &value["symbols"], &value["channel_uses"]),
        (&7.into(), &25.into(), &25.0.into())
    );
    assert_eq!((&value["clips"], &value["clips_nonzero"]), (&4.into(), &3.into()));
    let back: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(Record { acc2_pos_interval: record.acc2_pos_interval, ..back }, *record);
}

/// Files of earlier versions lack the fields; where bursts differ in length no one number holds.
#[test]
fn what_is_not_known_is_null() {
    let context = Context { symbols: 0, training_seed: None, ..context() };
    let record = &records(&rows(), &context, None)[1];
    let mut value = serde_json::to_value(record).unwrap();
    for field in ["training_seed", "symbols", "channel_uses"] {
        assert!(value[field].is_null(), "{field}");
        value.as_object_mut().unwrap().remove(field);
    }
    value.as_object_mut().unwrap().remove("clips_nonzero");
    let back: Record = serde_json::from_value(value).unwrap();
    assert_eq!((back.training_seed, back.symbols, back.channel_uses, back.clips_nonzero), (None, None, None, None));
}

/// Three draws reach 2/3, 1 and, of the two clips that came, 0: the last is no draw of the same clips.
#[test]
fn a_draw_that_lacks_clips_is_not_in_the_spread() {
    let mut all = rows();
    let partial = |clip: u64, label: f32| row(clip, 2, ("awgn", Some(3.0)), label, if label > 0.0 { 0.1 } else { 0.9 });
    all.extend([partial(0, 1.0), partial(1, -1.0)]);
    let record = |rows: &[PredictionRow]| {
        records(rows, &context(), None).into_iter().find(|r| r.channel == "awgn" && r.snr_db == Some(3.0)).unwrap()
    };
    let (with, without) = (record(&all), record(&rows()));
    assert_eq!((with.draws, without.draws), (3, 2));
    assert!(with.acc2_pos < without.acc2_pos, "every prediction counts for the accuracy");
    assert_eq!(with.acc2_pos_sd, without.acc2_pos_sd);
    let partial_alone: Vec<_> = all.into_iter().filter(|r| r.draw != 1).collect();
    assert_eq!(record(&partial_alone).acc2_pos_sd, None, "one complete draw has no spread");
}

/// 5/6 over the 3 clips that have a sign; classes are over all 4.
#[test]
fn binomial_intervals_count_clips_once() {
    let record = &records(&rows(), &context(), None)[1];
    let sign = record.acc2_pos_binomial().unwrap();
    assert_eq!(Some(sign), crate::wilson_of_rate(5.0 / 6.0, 3));
    assert_eq!(record.acc7_binomial(), crate::wilson_of_rate(record.acc7.unwrap(), 4));
    let unknown = Record { clips_nonzero: None, ..record.clone() };
    assert_eq!(unknown.acc2_pos_binomial(), None);
}

#[test]
fn channel_uses_are_means_over_clips_where_bursts_differ() {
    let mut uses = crate::ChannelUses::default();
    uses.add("awgn", Some(-3.0), 300, 2);
    uses.add("awgn", Some(3.0), 90, 3);
    uses.add("awgn", Some(-3.0), 60, 1);
    let of = |symbols: usize| -> Vec<Option<f64>> {
        let mut records = records(&rows(), &Context { symbols, ..context() }, None);
        uses.fill(&mut records);
        records.iter().map(|r| r.channel_uses).collect()
    };
    assert_eq!(of(0), [None, Some(120.0), Some(30.0), None]);
    assert_eq!(of(25), [Some(25.0); 4], "a fixed number holds");
}
