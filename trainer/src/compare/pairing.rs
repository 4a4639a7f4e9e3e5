//! Pairs the records of two systems, and computes levels and differences.

use super::load::{Run, System};
use crate::metric::{Basis, Difference, Level, METRICS, Metric};
use anyhow::{Result, bail, ensure};
use metrics::Record;
use serde::Serialize;

/// The comparison that is shown and written: the systems, and every metric at every point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The compared systems; the differences are to the first one.
    pub systems: Vec<Shown>,
    /// The points, in the order of the first system, then those that only others have.
    pub points: Vec<Point>,
}

/// Description of a compared system, without its records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Name of the system in table and figures.
    pub label: String,
    /// Name of the scheme in the records.
    pub scheme: String,
    /// The file that the records were read from.
    pub file: String,
    /// Corpus that was scored.
    pub corpus: String,
    /// Split that was scored.
    pub split: String,
    /// Training seed of each run; `None` (null in JSON) where unknown.
    pub training_seeds: Vec<Option<u64>>,
    /// Model id of each run.
    pub model_ids: Vec<String>,
    /// Complex symbols in the burst of every clip; `None` (null in JSON) where clips differ in that, or it is unknown.
    pub symbols: Option<usize>,
}

/// The results at one channel and SNR.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Channel of the point: `none`, `awgn`, `rayleigh` or `rician:K`.
    pub channel: String,
    /// Es/N0 of the point in dB; `None` (null in JSON) for `none`.
    pub snr_db: Option<f64>,
    /// The results of every system that was scored at the point.
    pub values: Vec<Value>,
}

/// The results of one system at one point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Value {
    /// Index of the system in [`Comparison::systems`], from 0.
    pub system: usize,
    /// Number of distinct clips that were scored.
    pub clips: usize,
    /// Number of channel draws for every clip.
    pub draws: usize,
    /// Complex channel uses of a clip, the mean over runs; `None` (null in JSON) where unknown.
    pub channel_uses: Option<f64>,
    /// The metrics, in the order of [`METRICS`].
    pub metrics: Vec<Scored>,
}

/// A metric of one system at one point, and its difference to the first system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// Name of the metric.
    pub metric: &'static str,
    /// Value of the metric; `None` (null in JSON) where it is undefined.
    pub level: Option<Level>,
    /// This system less the first one, where both have the same clips, draws and channel seed; else `None` (null in
    /// JSON).
    pub difference: Option<Difference>,
}

/// Checks that every system can be compared with the first one: same corpus, split and number of clips, and a common
/// point.
///
/// # Errors
/// If two systems cannot be compared, naming them and the reason.
pub fn check(systems: &[System]) -> Result<()> {
    let first = &systems[0];
    for other in &systems[1..] {
        let both =
            || format!("{} ({}) and {} ({})", first.label, first.file.display(), other.label, other.file.display());
        let (a, b) = (any(first), any(other));
        for (what, a, b) in
            [("corpus", short(&a.corpus), short(&b.corpus)), ("split", a.split.as_str(), b.split.as_str())]
        {
            ensure!(a == b, "{} cannot be compared: {what} {a} against {b}", both());
        }
        let common: Vec<(&Record, &Record)> =
            points(first).into_iter().filter_map(|point| Some((point, at(&other.runs[0], point)?))).collect();
        let Some((a, b)) = common.first() else {
            bail!("{} cannot be compared: no channel and SNR in common", both());
        };
        ensure!(a.clips == b.clips, "{} cannot be compared: {} clips against {}", both(), a.clips, b.clips);
    }
    Ok(())
}

/// A record of the system: the first of its first run.
fn any(system: &System) -> &Record {
    &system.runs[0].records[0]
}

/// The records of a system's first run, one for each point.
fn points(system: &System) -> Vec<&Record> {
    system.runs[0].records.iter().collect()
}

/// The last folder of a corpus name: its location does not matter for the comparison.
fn short(corpus: &str) -> &str {
    let corpus = corpus.trim_end_matches('/');
    corpus.rsplit('/').next().unwrap_or(corpus)
}

fn at<'a>(run: &'a Run, point: &Record) -> Option<&'a Record> {
    run.records.iter().find(|r| r.channel == point.channel && r.snr_db == point.snr_db)
}

/// The records of one point, one for each run; `None` unless every run has the point.
fn all_at<'a>(system: &'a System, point: &Record) -> Option<Vec<&'a Record>> {
    system.runs.iter().map(|run| at(run, point)).collect()
}

impl Comparison {
    /// The comparison of systems that [`check`] accepts.
    pub fn of(systems: &[System]) -> Comparison {
        let mut places: Vec<&Record> = Vec::new();
        for record in systems.iter().flat_map(points) {
            if places.iter().all(|place| (&place.channel, place.snr_db) != (&record.channel, record.snr_db)) {
                places.push(record);
            }
        }
        let point = |place: &&Record| Point {
            channel: place.channel.clone(),
            snr_db: place.snr_db,
            values: (0..systems.len()).filter_map(|index| value(systems, index, place)).collect(),
        };
        Comparison { systems: systems.iter().map(Shown::of).collect(), points: places.iter().map(point).collect() }
    }

    /// Whether some difference has an interval of this basis.
    pub fn has(&self, basis: Basis) -> bool {
        let scored = self.points.iter().flat_map(|point| &point.values).flat_map(|value| &value.metrics);
        scored.filter_map(|scored| scored.difference).any(|difference| difference.basis == Some(basis))
    }
}

impl Shown {
    fn of(system: &System) -> Shown {
        let record = any(system);
        Shown {
            label: system.label.clone(),
            scheme: system.scheme.clone(),
            file: system.file.display().to_string(),
            corpus: record.corpus.clone(),
            split: record.split.clone(),
            training_seeds: system.runs.iter().map(|run| run.training_seed).collect(),
            model_ids: system.runs.iter().map(|run| run.model_id.clone()).collect(),
            symbols: record.symbols,
        }
    }
}

fn value(systems: &[System], index: usize, place: &Record) -> Option<Value> {
    let records = all_at(&systems[index], place)?;
    let first = records.first()?;
    let uses: Option<Vec<f64>> = records.iter().map(|record| record.channel_uses).collect();
    let pairs = (index > 0).then(|| pairs(&systems[index], &systems[0], place)).flatten();
    let scored = |metric: &Metric| Scored {
        metric: metric.name,
        level: Level::of(&records, metric),
        difference: pairs.as_deref().and_then(|pairs| Difference::of(pairs, metric)),
    };
    Some(Value {
        system: index,
        clips: first.clips,
        draws: first.draws,
        channel_uses: uses.map(|uses| uses.iter().sum::<f64>() / uses.len() as f64),
        metrics: METRICS.iter().map(scored).collect(),
    })
}

/// The pairs of records at one point from runs with the same training seed, where both records have the same clips,
/// draws and channel seed. Two single runs are a pair whatever their seeds. `None` if there is no pair.
fn pairs<'a>(system: &'a System, against: &'a System, place: &Record) -> Option<Vec<(&'a Record, &'a Record)>> {
    let same = |(a, b): &(&Record, &Record)| (a.clips, a.draws, a.seed) == (b.clips, b.draws, b.seed);
    let pair = |a: &'a Run, b: &'a Run| Some((at(a, place)?, at(b, place)?)).filter(same);
    if let ([a], [b]) = (&system.runs[..], &against.runs[..]) {
        return Some(vec![pair(a, b)?]);
    }
    let partner = |a: &'a Run| {
        let seed = a.training_seed?;
        pair(a, against.runs.iter().find(|b| b.training_seed == Some(seed))?)
    };
    Some(system.runs.iter().filter_map(partner).collect::<Vec<_>>()).filter(|pairs| !pairs.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::tests::record;

    /// A system whose runs have the training seeds 0, 1, … and this many of ten clips right at 0 dB.
    fn system(label: &str, right: &[u64]) -> System {
        let run = |(seed, right): (usize, &u64)| {
            let record = record(label, Some(seed as u64), Some(0.0), *right);
            Run { model_id: record.model_id.clone(), training_seed: record.training_seed, records: vec![record] }
        };
        let runs = right.iter().enumerate().map(run).collect();
        System { label: label.into(), scheme: label.into(), file: format!("{label}.json").into(), runs }
    }

    fn acc2(comparison: &Comparison, system: usize) -> Option<Difference> {
        comparison.points[0].values.iter().find(|value| value.system == system).unwrap().metrics[0].difference
    }

    #[test]
    fn runs_are_paired_by_training_seed() {
        let mut b = system("b", &[8, 9, 10]);
        b.runs.reverse();
        let both = [system("a", &[6, 8, 7]), b];
        check(&both).unwrap();
        let comparison = Comparison::of(&both);
        assert_eq!(acc2(&comparison, 0), None, "the first is held against nothing");
        // Differences by seed 0.2, 0.1, 0.3: mean 0.2, half = 4.303 · 0.1/√3 = 0.2484.
        let difference = acc2(&comparison, 1).unwrap();
        assert_eq!((difference.text().as_str(), difference.basis), ("+0.200 [-0.048, +0.448]", Some(Basis::Seeds)));
        let value = &comparison.points[0].values[1];
        assert_eq!((value.clips, value.draws, value.channel_uses), (10, 1, Some(25.0)));
    }

    #[test]
    fn single_runs_have_binomial_intervals_and_other_draws_no_difference() {
        let mut both = [system("a", &[7]), system("b", &[8])];
        both[1].runs[0].training_seed = Some(9);
        assert_eq!(acc2(&Comparison::of(&both), 1).unwrap().text(), "+0.100 [-0.265, +0.435]");
        both[1].runs[0].records[0].draws = 3;
        check(&both).unwrap();
        assert_eq!(acc2(&Comparison::of(&both), 1), None);
        both[1].runs[0].records[0].draws = 1;
        both[1].runs[0].records[0].seed = 8;
        assert_eq!(acc2(&Comparison::of(&both), 1), None, "another noise");
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let error = |change: fn(&mut Record)| {
            let mut both = [system("a", &[7]), system("b", &[8])];
            change(&mut both[1].runs[0].records[0]);
            check(&both).unwrap_err().to_string()
        };
        let start = "a (a.json) and b (b.json) cannot be compared: ";
        assert_eq!(error(|r| r.corpus = "x/d".into()), format!("{start}corpus c against d"));
        assert_eq!(error(|r| r.split = "valid".into()), format!("{start}split test against valid"));
        assert_eq!(error(|r| r.clips = 9), format!("{start}10 clips against 9"));
        assert_eq!(error(|r| r.snr_db = Some(3.0)), format!("{start}no channel and SNR in common"));
        let mut moved = [system("a", &[7]), system("b", &[8])];
        moved[1].runs[0].records[0].corpus = "elsewhere/c/".into();
        check(&moved).unwrap();
    }
}
