//! `trainer evaluate`.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use clap::Args;
use corpus::{Corpus, CorpusSpec, Modality};
use metrics::{BestConstant, write_csv};

use super::{Evaluation, Subject, Sweep, SweepOptions, loss, seeds};
use crate::command::TrainOptions;
use crate::runs;
use files::PendingFile;

/// Score trained weights on a corpus, over simulated channels, in this process.
#[derive(Args, Clone, Debug)]
pub struct EvaluateArgs {
    /// Weights folder that holds both halves; with --seeds the folder of the runs seed-0, seed-1 and so on
    #[arg(long, value_name = "DIR")]
    pub weights: PathBuf,
    /// Corpus: `builtin`, `builtin:redundancy=0.5,seed=0`, or a folder
    #[arg(long, value_name = "CORPUS")]
    pub corpus: CorpusSpec,
    /// Over what.
    #[command(flatten)]
    pub over: SweepOptions,
    /// Also send every clip without these modalities (text, audio, visual, with commas), and print what is lost
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub drop: Vec<Modality>,
    /// Seed of the channel
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Write the records to this file, as a JSON array
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write every prediction to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// Score a run for each of N seeds, train those that are missing, and print mean and standard deviation
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: Option<u32>,
    /// How runs that are missing are trained.
    #[command(flatten, next_help_heading = "Training, with --seeds")]
    pub training: TrainOptions,
}

/// Evaluates, prints the table, writes the files asked for.
///
/// # Errors
/// If weights, corpus or split cannot be used or a file cannot be written.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    if let Some(seeds) = args.seeds {
        return seeds::run(args, seeds);
    }
    ensure!(args.training == TrainOptions::default(), "options of training without --seeds: nothing is to be trained");
    if !args.drop.is_empty() && args.predictions.is_some() {
        bail!("--predictions with --drop: its rows do not tell what was sent; evaluate one after the other");
    }
    // First, so that a bad path costs no work.
    let json = args.json.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let predictions = args.predictions.as_deref().map(PendingFile::create_with_parents).transpose()?;
    let subject = Subject::load(&args.weights)?;
    let corpus = Corpus::load(&args.corpus)?;
    let corpus = args.over.split.of(&corpus, || runs::settings(&args.weights))?;
    let (split, points) = (args.over.split.to_string(), args.over.points());
    let sweep = Sweep { corpus: &corpus, split: &split, points: &points, draws: args.over.draws, seed: args.seed };
    let Evaluation { mut records, rows } = subject.score_shown(&sweep, &[])?;
    console::print(metrics::table(&records) + &constant_line(&corpus, &split)?)?;
    if !args.drop.is_empty() {
        let without = subject.score_shown(&sweep, &args.drop)?;
        console::print("\n".to_owned() + &loss::table(&records, &without.records))?;
        records.extend(without.records);
    }
    if let Some(file) = json {
        file.commit(|out| {
            serde_json::to_writer_pretty(&mut *out, &records)?;
            out.write_all(b"\n")
        })?;
    }
    if let Some(file) = predictions {
        file.commit(|out| write_csv(out, &rows))?;
    }
    Ok(())
}

/// What the best constant reaches, or nothing where the corpus has no training split to fit it on.
pub(super) fn constant_line(corpus: &Corpus, split: &str) -> Result<String> {
    let labels = |split: &str| -> Result<Vec<f32>, corpus::CorpusError> {
        Ok(corpus.split(split)?.iter().map(|(_, clip)| clip.label).collect())
    };
    let Ok(training) = labels("train") else {
        return Ok(String::new());
    };
    let scores = BestConstant::fit(&training)?.scores(&labels(split)?);
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
    Ok(format!(
        "Majority/median baseline (best constant predictor, fitted on train): Acc-2 pos {}, nonneg {}, F1 pos {}, nonneg {}, Acc-7 {}, MAE {}.\n",
        number(scores.acc2_pos),
        number(scores.acc2_nonneg),
        number(scores.f1_pos),
        number(scores.f1_nonneg),
        number(scores.acc7),
        number(scores.mae)
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use std::path::Path;

    use clap::Parser;
    use metrics::Record;
    use network::batch::Standardisation;
    use network::config::{Config, Preset};
    use network::proposed::Network;
    use nn::params::Params;
    use schemes::scheme_kind::SchemeKind;
    use schemes::weights::{Training, Weights};

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: EvaluateArgs,
    }

    fn parse(line: &str) -> Result<EvaluateArgs, clap::Error> {
        Ok(Cli::try_parse_from(["evaluate"].into_iter().chain(line.split_whitespace()))?.args)
    }

    #[test]
    fn options_and_their_defaults() {
        let args = parse("--weights w --corpus builtin").unwrap();
        assert_eq!((args.over.split.to_string().as_str(), args.over.draws, args.seed), ("test", 10, 0));
        assert_eq!(args.over.snr.values().len(), 12);
        for snr in ["--snr -12:21:3", "--snr=-12:21:3"] {
            let args = parse(&format!("--weights w --corpus builtin {snr} --channel rayleigh")).unwrap();
            assert_eq!(args.over.points().len(), 12);
        }
        assert_eq!(parse("--weights w --corpus builtin --snr -6").unwrap().over.snr.values()[0].db(), -6.0);
    }

    #[test]
    fn bad_options_are_named() {
        let error = |line: &str| parse(&format!("--weights w --corpus builtin {line}")).unwrap_err().to_string();
        assert!(error("--snr 0:9:-3").contains("step"));
        assert!(error("--channel fog").contains("unknown channel `fog`"));
        assert!(error("--draws 0").contains("--draws"));
    }

    #[test]
    fn missing_weights_are_named_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("results.json");
        let line = format!("--weights {0} --corpus builtin --json {1}", folder.path().display(), out.display());
        let error = format!("{:#}", run(&parse(&line).unwrap()).unwrap_err());
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// Both halves of an untrained network for `builtin`.
    fn untrained(folder: &Path) -> String {
        let corpus = Corpus::load(&CorpusSpec::BUILTIN).unwrap();
        let config = Config::preset(Preset::Small, corpus.widths.into());
        let params = Params::fresh(1);
        Network::new(&params.root(), &config).unwrap();
        let standardisations = Modality::ALL.map(|modality| {
            let sequences = corpus.clips.iter().filter_map(|clip| clip.features[modality.index()].as_ref());
            Some(Standardisation::fit(corpus.widths[modality.index()]?, sequences))
        });
        let training = Training {
            corpus: corpus.name.clone(),
            seed: 1,
            snr_db: (-9.0, 21.0),
            channels: vec!["none".into(), "awgn".into()],
            epochs: (0, 0),
            text_encoder: None,
            cpu: String::new(),
        };
        let weights = Weights {
            scheme: SchemeKind::Proposed,
            config: &config,
            params: &params,
            standardisations: &standardisations,
            extractors: &corpus.origins,
            text_encoder: None,
            training,
        };
        weights.save(folder).unwrap()
    }

    #[test]
    fn the_files_hold_records_and_predictions_of_the_weights() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let model_id = untrained(&path("weights"));
        let line = format!(
            "--weights {} --corpus builtin --split valid --channel awgn,rayleigh --snr -12,0 --draws 2 --seed 4 \
             --json {} --predictions {}",
            path("weights").display(),
            path("results.json").display(),
            path("rows.csv").display()
        );
        run(&parse(&line).unwrap()).unwrap();
        let records: Vec<Record> = serde_json::from_slice(&fs::read(path("results.json")).unwrap()).unwrap();
        let points: Vec<_> = records.iter().map(|r| (r.channel.as_str(), r.snr_db, r.in_training_range)).collect();
        let expected = [("awgn", -12.0), ("awgn", 0.0), ("rayleigh", -12.0), ("rayleigh", 0.0)];
        assert_eq!(points, expected.map(|(channel, snr)| (channel, Some(snr), Some(snr > -9.0))));
        for record in &records {
            assert_eq!((&record.model_id, record.seed, record.draws, record.clips), (&model_id, 4, 2, 229));
            assert_eq!((record.scheme.as_str(), record.corpus.as_str()), ("proposed", "builtin:redundancy=0.5,seed=0"));
            assert!(record.reference_acc2.is_some() && record.ece.is_some(), "{record:?}");
            let sizes = (record.training_seed, record.symbols, record.channel_uses);
            assert_eq!(sizes, (Some(1), Some(25), Some(25.0)), "of the manifest and of the bursts");
            assert!(record.clips_nonzero.is_some_and(|clips| clips <= 229), "{record:?}");
        }
        let rows = fs::read_to_string(path("rows.csv")).unwrap();
        assert_eq!(rows.lines().count(), 1 + 4 * 2 * 229);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside the files");
    }
}
