//! `trainer corpus inspect`: describes a corpus and fits linear baselines to it, which reveal leaks of the label and
//! modalities without information.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use corpus::baseline::{self, Fit};
use corpus::{Corpus, CorpusSpec, Modality, builtin, folds_by_video};
use indicatif::ProgressBar;
use metrics::{BestConstant, label_class};

use super::inspection::{BaselineRow, Inspection, ModalityRow, SplitRow, TruthRow};

/// A linear baseline with at least this accuracy or correlation counts as a leak of the label.
const LEAK: f64 = 0.97;
/// Minimum number of clips measured for a warning about a leak or an uninformative modality.
const ENOUGH_CLIPS: usize = 30;

/// Describe a corpus: splits, features, and linear baselines.
#[derive(Args, Clone, Debug)]
pub struct InspectArgs {
    /// `builtin`, `builtin:redundancy=0.5,seed=0`, or a corpus folder
    #[arg(long, value_name = "CORPUS")]
    pub corpus: CorpusSpec,
    /// Split on which the baselines are measured [default: test, else valid, else a held-out fifth of train]
    #[arg(long, value_name = "SPLIT")]
    pub split: Option<String>,
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(100));
    let inspection = inspect(&args.corpus, args.split.as_deref(), &|step| spinner.set_message(step));
    spinner.finish_and_clear();
    let inspection = inspection?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&inspection)? + "\n",
        false => super::render::text(&inspection),
    };
    Ok(console::print(text)?)
}

/// Inspects a corpus. The baselines are fitted on `train` and measured on `split`; `None` takes `test`, else `valid`,
/// else a held-out fifth of `train`. `progress` gets a message before each stage.
///
/// # Errors
/// If the corpus cannot be read, has no split `train`, or lacks `split`.
pub fn inspect(spec: &CorpusSpec, split: Option<&str>, progress: &dyn Fn(String)) -> anyhow::Result<Inspection> {
    progress(format!("reading {spec}"));
    let corpus = Corpus::load(spec)?;
    let (train, rows, measured_on) = train_and_rows(&corpus, split)?;
    let mut warnings = split_warnings(&corpus);
    warnings.extend(featureless_warning(&corpus));
    let baselines = baselines(&corpus, &train, &rows, progress, &mut warnings)?;
    Ok(Inspection {
        corpus: corpus.name.clone(),
        clips: corpus.clips.len(),
        transcripts: corpus.clips.iter().filter(|clip| !clip.text.trim().is_empty()).count(),
        splits: corpus.splits().iter().map(|(split, _)| split_row(&corpus, split)).collect(),
        modalities: Modality::ALL.iter().filter_map(|m| modality_row(&corpus, *m)).collect(),
        measured_on,
        baselines,
        truth: truth(spec, &corpus, &rows)?,
        warnings,
    })
}

/// Rows of the corpus to fit the baselines on, rows to measure them on, and a description of the latter. No row is in
/// both.
fn train_and_rows(corpus: &Corpus, split: Option<&str>) -> anyhow::Result<(Vec<usize>, Vec<usize>, String)> {
    let there = corpus.splits();
    let preferred = ["test", "valid"].into_iter().find(|name| there.iter().any(|(split, _)| split == name));
    let split = split.or(preferred).unwrap_or("train");
    let train = corpus.split("train").context("the baselines are fitted on `train`")?;
    if split == "train" {
        let fold = folds_by_video(&train, 5, 0, 0).context("holding out a fifth of `train`")?;
        return Ok((fold.0, fold.1, "a held-out fifth of `train`".into()));
    }
    let rows = |clips: Vec<(usize, &corpus::Clip)>| clips.into_iter().map(|(row, _)| row).collect();
    Ok((rows(train), rows(corpus.split(split)?), format!("`{split}`")))
}

fn split_row(corpus: &Corpus, split: &str) -> SplitRow {
    let clips: Vec<_> = corpus.clips.iter().filter(|clip| clip.split == split).collect();
    let mut classes = [0; 7];
    for clip in &clips {
        classes[(label_class(clip.label) + 3) as usize] += 1;
    }
    let count = |test: fn(f32) -> bool| clips.iter().filter(|clip| test(clip.label)).count();
    SplitRow {
        split: split.to_owned(),
        clips: clips.len(),
        videos: clips.iter().map(|clip| &clip.video_id).collect::<BTreeSet<_>>().len(),
        negative: count(|label| label < 0.0),
        zero: count(|label| label == 0.0),
        positive: count(|label| label > 0.0),
        classes,
    }
}

fn modality_row(corpus: &Corpus, modality: Modality) -> Option<ModalityRow> {
    let width = corpus.widths[modality.index()]?;
    let sequences = corpus.clips.iter().filter_map(|clip| clip.features[modality.index()].as_ref());
    let frames: Vec<usize> = sequences.map(|sequence| sequence.frames()).collect();
    let replaced = corpus.replaced[modality.index()];
    Some(ModalityRow {
        modality,
        width,
        clips: frames.len(),
        lacking: corpus.clips.len() - frames.len(),
        frames_min: frames.iter().copied().min().unwrap_or(0),
        frames_mean: frames.iter().sum::<usize>() as f64 / frames.len() as f64,
        frames_max: frames.iter().copied().max().unwrap_or(0),
        replaced_nan: replaced.nan,
        replaced_infinite: replaced.infinite,
    })
}

/// A warning if videos are in several splits: what is learnt about a speaker in one split helps in the other.
fn split_warnings(corpus: &Corpus) -> Vec<String> {
    let mut splits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for clip in &corpus.clips {
        splits.entry(&clip.video_id).or_default().insert(&clip.split);
    }
    let torn: Vec<_> = splits.iter().filter(|(_, splits)| splits.len() > 1).collect();
    let Some((video, splits)) = torn.first() else { return Vec::new() };
    let splits = splits.iter().copied().collect::<Vec<_>>().join(", ");
    vec![format!("leak: {} videos are in several splits, the first is `{video}` in {splits}", torn.len())]
}

/// A warning if clips have no features: a network gets no input from them unless a text encoder encodes their
/// transcripts.
fn featureless_warning(corpus: &Corpus) -> Option<String> {
    let without = corpus.clips.iter().filter(|clip| clip.features.iter().all(Option::is_none)).count();
    let of = format!("{without} of {} clips have no features", corpus.clips.len());
    (without > 0)
        .then(|| format!("empty: {of}, only a transcript; training reads nothing of them without --text-encoder"))
}

fn baselines(
    corpus: &Corpus,
    train: &[usize],
    rows: &[usize],
    progress: &dyn Fn(String),
    warnings: &mut Vec<String>,
) -> anyhow::Result<Vec<BaselineRow>> {
    let labels = |rows: &[usize]| rows.iter().map(|row| corpus.clips[*row].label).collect::<Vec<_>>();
    let truths = labels(rows);
    let constant = BestConstant::fit(&labels(train)).context("fitting the best constant")?.scores(&truths);
    let mut table = vec![BaselineRow {
        from: "best constant".into(),
        columns: 0,
        constant_columns: 0,
        penalty: None,
        acc2_pos: constant.acc2_pos,
        mae: constant.mae,
        corr: None,
    }];
    let there: Vec<Modality> = Modality::ALL.into_iter().filter(|m| corpus.widths[m.index()].is_some()).collect();
    let mut runs: Vec<(&str, Vec<Modality>)> = there.iter().map(|m| (m.name(), vec![*m])).collect();
    if there.len() > 1 {
        runs.push(("all", there));
    }
    for (from, modalities) in runs {
        progress(format!("fitting a line to {from}"));
        let Some(line) = baseline::linear(corpus, &modalities, train, rows)? else {
            warnings.push(format!("dead: no clip of `train` has {from}"));
            continue;
        };
        let fit = Fit::of(&line.scores, &truths);
        let row = BaselineRow {
            from: from.into(),
            columns: line.columns,
            constant_columns: line.constant_columns,
            penalty: Some(line.penalty),
            acc2_pos: fit.sign.accuracy(),
            mae: fit.mae,
            corr: fit.corr,
        };
        warnings.extend(baseline_warnings(&row, rows.len()));
        table.push(row);
    }
    Ok(table)
}

fn baseline_warnings(row: &BaselineRow, clips: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    if row.constant_columns > 0 && row.from != "all" {
        let dead = if row.constant_columns == row.columns { "dead: " } else { "" };
        warnings.push(format!(
            "{dead}{} of the {} columns of {} are the same in every training clip",
            row.constant_columns, row.columns, row.from
        ));
    }
    if clips < ENOUGH_CLIPS || row.constant_columns == row.columns {
        return warnings;
    }
    let corr = row.corr.unwrap_or(0.0);
    if row.acc2_pos.is_some_and(|accuracy| accuracy >= LEAK) || corr >= LEAK {
        warnings.push(format!("leak: a line tells the label from {} almost perfectly", row.from));
    }
    // The correlation of unrelated values has standard deviation 1/√n.
    if corr < 2.0 / (clips as f64).sqrt() {
        warnings.push(format!("weak or dead: a line tells nothing from {} (correlation {corr:.3})", row.from));
    }
    warnings
}

fn truth(spec: &CorpusSpec, corpus: &Corpus, rows: &[usize]) -> anyhow::Result<Option<TruthRow>> {
    let CorpusSpec::Builtin { redundancy, seed } = spec else { return Ok(None) };
    let truth = builtin::truth(*redundancy)?;
    let means = builtin::posterior_means(*redundancy, *seed)?;
    let scores: Vec<f32> = rows.iter().map(|row| means[*row] as f32).collect();
    let labels: Vec<f32> = rows.iter().map(|row| corpus.clips[*row].label).collect();
    Ok(Some(TruthRow {
        bayes_acc2_pos: truth.acc2_pos,
        bayes_acc2_pos_of_one: truth.acc2_pos_of_one,
        bayes_acc2_pos_here: Fit::of(&scores, &labels).sign.accuracy(),
        shared_about_label_nats: truth.shared_about_label_nats,
        shared_irrelevant_nats: truth.shared_irrelevant_nats,
    }))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
