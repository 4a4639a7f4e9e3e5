//! Runs `trainer evaluate`.

use anyhow::{Result, bail, ensure};
use corpus::Corpus;
use metrics::write_csv;

use super::args::EvaluateArgs;
use super::constant::constant_line;
use super::{Evaluation, Subject, Sweep, loss, seeds};
use crate::command::TrainOptions;
use crate::runs;
use files::PendingFile;

/// Evaluates weights, prints the table of scores, and writes the requested files.
///
/// # Errors
/// If weights, corpus or split cannot be used, options contradict each other, or a file cannot be written.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    if let Some(seeds) = args.seeds {
        return seeds::run(args, seeds);
    }
    ensure!(args.training == TrainOptions::default(), "options of training without --seeds: nothing is to be trained");
    if !args.drop.is_empty() && args.predictions.is_some() {
        bail!("--predictions with --drop: its rows do not tell what was sent; evaluate one after the other");
    }
    // The files are created first, so that a bad path is reported before any work.
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
    use corpus::{CorpusSpec, Modality};

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

    /// Writes both halves of an untrained network for `builtin` to `folder`, and returns their model id.
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
