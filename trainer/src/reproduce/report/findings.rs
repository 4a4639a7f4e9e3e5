//! The findings of the report, in five sentences: accuracy without noise, at the worst point, beside the paper and
//! beside the matched-filter reference, then score and class.

use super::paper;
use crate::metric::{ACC2, ACC7, Basis, Level, MAE, Metric};
use crate::reproduce::figures::{CHANNELS, number};
use crate::reproduce::plan::Plan;
use crate::reproduce::scheme::{Scheme, find, rivals};
use crate::scheme_name::channel_label;

/// The findings as sentences; empty without the proposed scheme.
pub fn sentences(plan: &Plan, schemes: &[Scheme]) -> Vec<String> {
    let Some(proposed) = find(schemes, "proposed") else { return Vec::new() };
    let hardest = hardest(proposed);
    [
        noiseless(schemes, proposed),
        hardest.and_then(|point| worst(schemes, proposed, point)),
        paper::finding(plan, schemes),
        matched_filter(proposed),
        score_and_class(schemes, proposed, hardest),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A channel and its SNR in dB; the SNR is `None` for the noiseless channel.
type Place = (&'static str, Option<f64>);

/// The lowest SNR that was scored, over fading if that was scored, else over AWGN.
fn hardest(proposed: &Scheme) -> Option<Place> {
    let lowest = |channel: &'static str| Some((channel, Some(proposed.snrs(channel).into_iter().reduce(f64::min)?)));
    CHANNELS.iter().rev().find_map(|(channel, _)| lowest(channel))
}

fn shown((channel, snr_db): Place) -> String {
    match snr_db {
        Some(snr) => format!("at {} dB over {}", number(snr), channel_label(channel)),
        None => "without noise".to_owned(),
    }
}

/// The schemes other than the proposed one, each with what it reaches at a point, the best first. `own_network` leaves
/// out those that use the proposed network: without noise they equal it.
fn baselines<'s, 'a>(
    schemes: &'s [Scheme<'a>],
    place: Place,
    metric: &Metric,
    own_network: bool,
) -> Vec<(&'s Scheme<'a>, Level)> {
    let mut found: Vec<_> = rivals(schemes)
        .filter(|scheme| !scheme.entry.name.starts_with("proposed"))
        .filter(|scheme| !(own_network && scheme.entry.shares_network()))
        .filter_map(|scheme| Some((scheme, scheme.level(place.0, place.1, metric)?)))
        .collect();
    let sign = if metric.more_is_better { -1.0 } else { 1.0 };
    found.sort_by(|a, b| (sign * a.1.mean).total_cmp(&(sign * b.1.mean)));
    found
}

/// The comparison with one baseline, such as `T-DeepSC, as published, has 0.783 ± 0.019: +5.7 points [+3.1, +8.3],
/// paired by seed`.
fn against(proposed: &Scheme, (rival, level): &(&Scheme, Level), (channel, snr_db): Place) -> Option<String> {
    let difference = proposed.ahead_of(rival, channel, snr_db, &ACC2)?;
    let how = match difference.basis {
        Some(Basis::Seeds) => ", paired by seed",
        Some(Basis::Binomial) => ", binomial over clips",
        None => "",
    };
    Some(format!("{}, has {}: {}{how}", rival.entry.label(), level.text(), difference.points()))
}

fn noiseless(schemes: &[Scheme], proposed: &Scheme) -> Option<String> {
    let place = ("none", None);
    let own = proposed.level(place.0, place.1, &ACC2)?.text();
    let rest = match baselines(schemes, place, &ACC2, true).first().and_then(|best| against(proposed, best, place)) {
        Some(best) => format!("; the best baseline with a network of its own, {best}"),
        None => "; no baseline with a network of its own was scored".to_owned(),
    };
    Some(format!("Without noise the proposed scheme reaches {} {own}{rest}.", ACC2.label))
}

fn worst(schemes: &[Scheme], proposed: &Scheme, place: Place) -> Option<String> {
    let own = proposed.level(place.0, place.1, &ACC2)?.text();
    let own_network = baselines(schemes, place, &ACC2, true).first().and_then(|best| against(proposed, best, place));
    let all = baselines(schemes, place, &ACC2, false);
    let decided = all.iter().find(|(scheme, _)| scheme.entry.shares_network());
    let decided = decided.and_then(|best| against(proposed, best, place));
    let mut parts = Vec::new();
    parts.extend(own_network.map(|best| format!("the best baseline with a network of its own, {best}")));
    parts.extend(decided.map(|best| format!("the best that sends decisions of the same network, {best}")));
    if parts.is_empty() {
        parts.push("no baseline was scored".to_owned());
    }
    let place = shown(place);
    let (first, rest) = place.split_at(1);
    Some(format!("{}{rest} it reaches {own}; {}.", first.to_uppercase(), parts.join("; ")))
}

/// The sentence on the matched-filter reference: by how much accuracy falls short of it, on average and at most, over
/// all points that have a reference.
fn matched_filter(proposed: &Scheme) -> Option<String> {
    let points = CHANNELS.iter().flat_map(|(channel, _)| {
        proposed.snrs(channel).into_iter().filter_map(move |snr| {
            let reference = proposed.at(channel, Some(snr), |r| r.reference_acc2)?.mean;
            let measured = proposed.at(channel, Some(snr), |r| r.acc2_pos)?.mean;
            Some((100.0 * (reference - measured), (*channel, Some(snr))))
        })
    });
    let points: Vec<(f64, Place)> = points.collect();
    let (most, at) = points.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let mean = points.iter().map(|(gap, _)| gap).sum::<f64>() / points.len() as f64;
    let round = |gap: f64| number((10.0 * gap).round() / 10.0);
    Some(format!(
        "To the matched-filter reference, which sends the sign alone at the same noiseless accuracy, it lacks {} points of accuracy, \
         the mean over {} channels and SNRs, and at most {} ({}).",
        round(mean),
        points.len(),
        round(most),
        shown(at),
    ))
}

fn score_and_class(schemes: &[Scheme], proposed: &Scheme, hardest: Option<Place>) -> Option<String> {
    let at = |metric: &Metric, place: Place| {
        let own = proposed.level(place.0, place.1, metric)?.text();
        let best = baselines(schemes, place, metric, false).into_iter().next();
        let best = best.map(|(scheme, level)| format!(" (best baseline: {}, {})", scheme.entry.label(), level.text()));
        Some(format!("{own} {}{}", shown(place), best.unwrap_or_default()))
    };
    let both = |metric: &Metric| {
        let places = [Some(("none", None)), hardest].into_iter().flatten();
        let said: Vec<String> = places.filter_map(|place| at(metric, place)).collect();
        (!said.is_empty()).then(|| said.join(" and "))
    };
    Some(format!("Its MAE is {}; its {} is {}.", both(&MAE)?, ACC7.label, both(&ACC7)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::TrainOptions;
    use crate::material::Material;
    use crate::metric::tests::record;
    use crate::reproduce::cell::{Cell, Scored, SweepSettings};
    use corpus::CorpusSpec;
    use metrics::Record;

    /// Cells of three schemes with two seeds each. `right` of ten clips are right, without noise and at −12 dB.
    fn cells() -> Vec<Cell> {
        let material = Material::load(&CorpusSpec::BUILTIN, None).unwrap();
        let config = TrainOptions::default().resolved(&CorpusSpec::BUILTIN, material.corpus(), 0).unwrap();
        let config = material.settled(config);
        let cell = |entry: &str, seed: u64, right: [u64; 2]| Cell {
            entry: entry.into(),
            seed,
            scored: Scored {
                config: config.clone(),
                sweep: SweepSettings { split: "test".into(), points: vec![], draws: 1 },
            },
            model_id: String::new(),
            cpu: String::new(),
            records: vec![
                record(entry, Some(seed), None, right[0]),
                Record { reference_acc2: Some(0.85), ..record(entry, Some(seed), Some(-12.0), right[1]) },
            ],
            discriminators: Vec::new(),
            views: Vec::new(),
            projection: None,
            traffic: Vec::new(),
        };
        vec![
            cell("proposed", 0, [9, 8]),
            cell("proposed", 1, [10, 8]),
            cell("t-deepsc", 0, [8, 6]),
            cell("t-deepsc", 1, [9, 7]),
            cell("sign-repetition", 0, [9, 9]),
            cell("sign-repetition", 1, [10, 8]),
        ]
    }

    fn said(cells: &[Cell]) -> Vec<String> {
        let sweep = SweepSettings { split: "test".into(), points: Vec::new(), draws: 1 };
        let mut plan = Plan::bare("builtin", sweep);
        plan.entries = ["proposed", "t-deepsc", "sign-repetition"].map(str::to_owned).to_vec();
        sentences(&plan, &Scheme::all(&plan, cells).unwrap())
    }

    #[test]
    fn five_sentences_say_what_the_records_do() {
        let cells = cells();
        let said = said(&cells);
        assert_eq!(said.len(), 5, "{said:?}");
        // Without noise 0.95 against 0.85, a difference of 0.1 with each seed; the repeated sign equals the proposed
        // scheme.
        assert_eq!(
            said[0],
            "Without noise the proposed scheme reaches Acc-2 Non0 (pos) 0.950 ± 0.071; the best baseline with a network of its own, \
             T-DeepSC, our protocol and head, has 0.850 ± 0.071: +10.0 points [+10.0, +10.0], paired by seed."
        );
        // 0.8 against 0.65 and 0.85: +0.15 with sd 0.0707, and −0.05.
        assert!(
            said[1].starts_with("At \u{2212}12 dB over AWGN it reaches 0.800 ± 0.000; the best baseline"),
            "{}",
            said[1]
        );
        assert!(said[1].contains("0.650 ± 0.071: +15.0 points [\u{2212}48.5, +78.5], paired by seed"), "{}", said[1]);
        assert!(said[1].contains("sign, repeated, has 0.850 ± 0.071: \u{2212}5.0 points"), "{}", said[1]);
        assert!(said[2].contains("The paper prints Acc-2 0.736") && said[2].contains("not scored here"), "{}", said[2]);
        assert!(said[3].contains("lacks 5 points of accuracy, the mean over 1 channels and SNRs"), "{}", said[3]);
        // Scores are ±0.5 beside labels of ±0.5: an error is 1, and one of ten has it.
        assert!(said[4].starts_with("Its MAE is 0.050 ± 0.071 without noise (best baseline:"), "{}", said[4]);
        assert!(said[4].contains("its Acc-7 is"), "{}", said[4]);
    }

    #[test]
    fn one_seed_has_binomial_intervals() {
        let one: Vec<Cell> = cells().into_iter().filter(|cell| cell.seed == 0).collect();
        let said = said(&one);
        // Wilson's interval of 9/10.
        assert!(said[0].contains("0.900 [0.596, 0.982]") && said[0].contains("binomial over clips"), "{}", said[0]);
    }
}
