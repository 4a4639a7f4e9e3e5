//! `trainer evaluate --seeds`: scores one run for each seed, and trains those that are missing, side by side on the
//! available cores.

use super::args::EvaluateArgs;
use super::constant::constant_line;
use super::{ScoredClips, Subject, Sweep, loss};
use crate::command;
use crate::config::RunConfig;
use crate::material::Material;
use crate::side_by_side::{Board, run_all};
use anyhow::{Context, Result, ensure};
use files::PendingFile;
use metrics::{Record, summaries, summary_table};

/// Trains or loads the runs `seed-0`, `seed-1`, … in the weights folder, scores each, and prints mean and standard
/// deviation.
///
/// # Errors
/// If a run cannot be trained or was trained with other settings, or a file cannot be written.
pub fn run(args: &EvaluateArgs, seeds: u32) -> Result<()> {
    ensure!(
        args.predictions.is_none(),
        "--predictions with --seeds: its rows do not tell whose they are; evaluate one folder after the other"
    );
    let json = args.json.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let mut material = Material::load(&args.corpus, args.training.text_encoder.as_deref())?;
    args.over.split.check(material.corpus())?;
    let config = |seed: u32| -> Result<RunConfig> {
        let config = args.training.resolved(&args.corpus, material.corpus(), seed.into())?;
        ensure!(config.seed == u64::from(seed), "--set seed with --seeds: each run has a seed of its own");
        Ok(material.settled(config))
    };
    let configs: Vec<RunConfig> = (0..seeds).map(config).collect::<Result<_>>()?;
    command::read(&mut material, &configs[0].validation)?;
    let (split, points) = (args.over.split.to_string(), args.over.points());
    let corpus = |seed: usize| args.over.split.of(material.corpus(), || Ok(configs[seed].clone()));
    let board = Board::new(configs.iter().map(|config| config.schedule.epochs).sum())?;
    let scored = run_all(configs.len(), |index, share| {
        let (config, name) = (&configs[index], format!("seed-{index}"));
        let folder = args.weights.join(&name);
        share.ensure_trained(&material, config, &folder, &name, &board)?;
        let (subject, corpus) = (Subject::load(&folder)?, corpus(index)?);
        let sweep = Sweep { corpus: &corpus, split: &split, points: &points, draws: args.over.draws, seed: args.seed };
        let score = |without: &[corpus::Modality]| -> Result<Vec<Record>> {
            let mut records = subject.score(&sweep, without, Some(share.threads()))?.records;
            records.iter_mut().for_each(|record| record.training_seed = Some(config.seed));
            Ok(records)
        };
        let without = if args.drop.is_empty() { Vec::new() } else { score(&args.drop)? };
        Ok((score(&[])?, without))
    });
    board.finish();
    let (full, without): (Vec<Vec<Record>>, Vec<Vec<Record>>) = scored?.into_iter().unzip();
    let constant = match (&args.over.split, seeds) {
        // Each seed has a fold of its own, and so another best constant predictor.
        (ScoredClips::Fold { .. }, 2..) => String::new(),
        _ => constant_line(&*corpus(0)?, &split)?,
    };
    console::print(summary_table(&summaries(&full), full[0].last().context("no point to score")?) + &constant)?;
    if !args.drop.is_empty() {
        console::print("\n".to_owned() + &loss::over_seeds(&summaries(&full), &summaries(&without)))?;
    }
    if let Some(file) = json {
        let records: Vec<Record> = full.into_iter().chain(without).flatten().collect();
        file.commit(|out| {
            serde_json::to_writer_pretty(&mut *out, &records)?;
            out.write_all(b"\n")
        })?;
    }
    Ok(())
}
