//! Training: one seed gives one result, a resumed run ends as an uninterrupted one, and what cannot be trained is
//! refused in one line.

mod support;

use clap::Parser;
use corpus::{Clip, Corpus};
use std::path::{Path, PathBuf};
use support::{clip, data, settings, toy};
use tempfile::TempDir;
use trainer::checkpoint::{self, State};
use trainer::config::RunConfig;
use trainer::config::Validation;
use trainer::data::Data;
use trainer::threads::Threads;
use trainer::train::Trainer;

/// The names in a folder, in alphabetical order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The files of both halves, and `metrics.csv` without the column of seconds.
fn result(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for half in ["transmitter", "receiver"] {
        for name in ["manifest.json", "weights.safetensors"] {
            files.push((format!("{half}/{name}"), std::fs::read(folder.join(half).join(name)).unwrap()));
        }
    }
    files.push(("metrics.csv".into(), metrics(folder).join("\n").into_bytes()));
    files
}

/// The lines of `metrics.csv` without their last column, the seconds.
fn metrics(folder: &Path) -> Vec<String> {
    let table = std::fs::read_to_string(folder.join("metrics.csv")).unwrap();
    table.lines().map(|line| line.rsplit_once(',').unwrap().0.to_string()).collect()
}

/// Trains a whole run in a folder of its own, and returns the folder and the model id.
fn trained(config: &RunConfig, data: &Data) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut trainer = Trainer::new(config, data).unwrap();
    trainer.run(Some(folder.path()), &mut |_| ()).unwrap();
    let id = trainer.deploy(folder.path(), None).unwrap();
    (folder, id)
}

#[test]
fn one_seed_gives_one_result_whatever_else_runs() {
    let (config, data) = (settings(), data());
    let (folder, id) = trained(&config, &data);
    // Two runs at once, so that the micro-batches' threads contend for the cores.
    std::thread::scope(|scope| {
        let runs = [(); 2].map(|()| scope.spawn(|| trained(&config, &data)));
        for run in runs {
            let (other, other_id) = run.join().unwrap();
            assert_eq!(other_id, id);
            assert!(result(other.path()) == result(folder.path()));
        }
    });
    let mut single = Trainer::new(&config, &data).unwrap().on(Threads::One);
    single.run(None, &mut |_| ()).unwrap();
    assert_eq!(single.deploy(tempfile::tempdir().unwrap().path(), None).unwrap(), id);
    let (_, other) = trained(&RunConfig { seed: 2, ..config.clone() }, &data);
    assert_ne!(other, id);
    // The number of micro-batches is a setting: shuffled pairs come from one micro-batch.
    let (_, other) = trained(&RunConfig { parts: 1, ..config }, &data);
    assert_ne!(other, id);
}

#[test]
fn training_learns() {
    let mut config = settings();
    config.schedule.epochs = 30;
    let data = data();
    let (mut first, mut last) = (None, 0.0);
    Trainer::new(&config, &data)
        .unwrap()
        .run(None, &mut |progress| {
            last = progress.sums.task / progress.sums.clips;
            first.get_or_insert(last);
        })
        .unwrap();
    assert!(last < 0.9 * first.unwrap(), "from {first:?} to {last}");
}

fn copy(from: &Path, to: &Path) {
    for name in names(from) {
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[test]
fn a_resumed_run_ends_as_an_undisturbed_one() {
    let (config, data) = (settings(), data());
    let (whole, id) = trained(&config, &data);
    // Left before, at and after the first epoch that may be selected.
    let left = [1usize, 3, 5].map(|epoch| (epoch, tempfile::tempdir().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    Trainer::new(&config, &data)
        .unwrap()
        .run(Some(folder.path()), &mut |progress| {
            left.iter().filter(|(at, _)| *at == progress.epoch).for_each(|(_, to)| copy(folder.path(), to.path()));
        })
        .unwrap();
    for (epoch, folder) in &left {
        assert_eq!(metrics(folder.path()).len(), epoch + 1);
        let mut trainer = Trainer::new(&config, &data).unwrap();
        trainer.resume(folder.path()).unwrap();
        let mut epochs = Vec::new();
        trainer.run(Some(folder.path()), &mut |progress| epochs.push(progress.epoch)).unwrap();
        assert_eq!(epochs, (epoch + 1..=6).collect::<Vec<_>>());
        assert_eq!(trainer.deploy(folder.path(), None).unwrap(), id);
        assert!(result(folder.path()) == result(whole.path()), "resumed after epoch {epoch}");
    }
}

/// The process dies between writing the checkpoint and its table, so that the table is stale, or by a panic between
/// epochs.
#[test]
fn a_run_that_died_anywhere_is_taken_up() {
    let (config, data) = (settings(), data());
    let (whole, id) = trained(&config, &data);
    let table = metrics(whole.path());
    std::fs::write(whole.path().join("metrics.csv"), "stale").unwrap();
    let mut trainer = Trainer::new(&config, &data).unwrap();
    trainer.resume(whole.path()).unwrap();
    trainer.run(Some(whole.path()), &mut |_| panic!("the run is over")).unwrap();
    assert_eq!(metrics(whole.path()), table);
    assert_eq!(trainer.deploy(whole.path(), None).unwrap(), id);

    let folder = tempfile::tempdir().unwrap();
    let died = std::thread::scope(|scope| {
        let run = || {
            let mut trainer = Trainer::new(&config, &data).unwrap();
            trainer.run(Some(folder.path()), &mut |progress| assert!(progress.epoch < 4, "killed on purpose"))
        };
        scope.spawn(run).join().is_err()
    });
    assert!(died);
    let mut trainer = Trainer::new(&config, &data).unwrap();
    trainer.resume(folder.path()).unwrap();
    trainer.run(Some(folder.path()), &mut |_| ()).unwrap();
    assert_eq!(trainer.deploy(folder.path(), None).unwrap(), id);
    assert_eq!(metrics(folder.path()), table);
}

#[test]
fn early_stopping_holds_across_a_resumption() {
    // The learning rate is so high that the first epochs are the best.
    let mut config = RunConfig { patience: 2, ..settings() };
    (config.schedule.epochs, config.schedule.learning_rate) = (40, 0.3);
    let data = data();
    let (whole, id) = trained(&config, &data);
    let epochs = metrics(whole.path()).len() - 1;
    assert!(epochs < 40, "never stopped");
    let (state, _) = checkpoint::load(whole.path(), &config).unwrap();
    assert_eq!(state.best.unwrap().0 + 2, epochs);
    let mut trainer = Trainer::new(&config, &data).unwrap();
    trainer.resume(whole.path()).unwrap();
    trainer.run(Some(whole.path()), &mut |_| panic!("it has stopped")).unwrap();
    assert_eq!(trainer.deploy(whole.path(), None).unwrap(), id);
}

fn resume_error(folder: &Path, config: &RunConfig) -> String {
    let data = data();
    let error = Trainer::new(config, &data).unwrap().resume(folder).unwrap_err();
    let message = format!("{error:#}").replace(&format!("{}/", folder.display()), "");
    assert!(!message.contains('\n') && message.starts_with(checkpoint::FILE), "{message}");
    message
}

#[test]
fn a_run_with_other_settings_is_not_taken_up() {
    let mut config = settings();
    config.schedule = trainer::schedule::Schedule { epochs: 2, ..config.schedule };
    let (folder, _) = trained(&config, &data());
    let with = |change: &dyn Fn(&mut RunConfig)| {
        let mut other = config.clone();
        change(&mut other);
        resume_error(folder.path(), &other)
    };
    assert!(with(&|c| c.seed = 7).contains("another `seed`"));
    assert!(with(&|c| c.schedule.epochs = 3).contains("another `schedule.epochs`"));
    assert!(with(&|c| c.network.hidden = 17).contains("another `network.hidden`"));
    assert!(with(&|c| c.objective.beta = 2e-3).contains("another `objective.beta`"));
    assert!(with(&|c| c.law.snr_db = (0.0, 21.0)).contains("another `law.snr_db`"));
    assert!(with(&|c| c.text_encoder = Some("bert".into())).contains("another `text_encoder`"));
    assert!(with(&|c| c.validation = Validation::Fold { fold: 0, folds: 2 }).contains("another `validation"));
    assert!(resume_error(tempfile::tempdir().unwrap().path(), &config).contains("nothing to resume"));
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let mut config = settings();
    config.schedule.epochs = 2;
    let data = data();
    let (folder, _) = trained(&config, &data);
    let file = folder.path().join(checkpoint::FILE);
    let whole = std::fs::read(&file).unwrap();
    for keep in [0, 7, 200, whole.len() - 10] {
        std::fs::write(&file, &whole[..keep]).unwrap();
        resume_error(folder.path(), &config);
    }
    // Sound files that hold no state of a run, or lack some tensors.
    std::fs::write(&file, safetensors::serialize(Vec::<(String, candle_core::Tensor)>::new(), None).unwrap()).unwrap();
    assert!(resume_error(folder.path(), &config).contains("holds no state of a run"));
    let state = State { config: config.clone(), epoch: 1, step: 3, best: None, rows: Vec::new() };
    checkpoint::save(folder.path(), &state, &Default::default()).unwrap();
    let message = resume_error(folder.path(), &config);
    assert!(message.contains("tensor `param.") && message.ends_with("is missing"), "{message}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let data = data();
    let error = |change: &dyn Fn(&mut RunConfig)| {
        let mut config = settings();
        change(&mut config);
        let Err(error) = Trainer::new(&config, &data) else { panic!("accepted: {config:?}") };
        error.to_string()
    };
    assert_eq!(error(&|c| c.batch = 0), "batch: expected at least 1, got 0");
    assert_eq!(error(&|c| c.schedule.epochs = 0), "schedule.epochs: expected at least 1, got 0");
    assert!(error(&|c| c.schedule.learning_rate = f32::NAN).starts_with("schedule.learning_rate: "));
    assert!(error(&|c| c.schedule.ramp_end = 0).starts_with("schedule.ramp_end: "));
    assert!(error(&|c| c.objective.gamma = -1.0).starts_with("objective.gamma: "));
    assert!(error(&|c| c.averaging = 1.5).starts_with("averaging: "));
    assert!(error(&|c| c.law.snr_db = (3.0, 1.0)).starts_with("law.snr_db: "));
    assert!(error(&|c| c.law.skew = 0.0).starts_with("law.skew: "));
    assert!(error(&|c| c.validation = Validation::Split("test".into())).starts_with("validation: "));
    assert!(error(&|c| c.network.reals = 7).starts_with("network.reals: "));
}

/// Runs `trainer train` with small sizes, few epochs, and these further arguments.
fn train(corpus: &Path, out: &Path, more: &[&str]) -> Result<(), String> {
    let mut arguments: Vec<String> = ["trainer", "train", "--preset", "small"].map(String::from).into();
    arguments
        .extend(["--corpus", &corpus.display().to_string(), "--out", &out.display().to_string()].map(String::from));
    arguments.extend(more.iter().map(|a| a.to_string()));
    for set in ["network.hidden=16", "network.discriminator=8", "network.latent=6", "schedule.warm_up=1"] {
        arguments.extend(["--set".into(), set.into()]);
    }
    let args = trainer::Args::try_parse_from(arguments).map_err(|e| e.to_string())?;
    let result = trainer::run(args).map_err(|e| format!("{e:#}"));
    if let Err(message) = &result {
        assert!(!message.contains('\n'), "{message}");
    }
    result
}

/// A corpus folder of these clips, and the folder for a run.
fn folders(clips: Vec<Clip>) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, out) = (folder.path().join("corpus"), folder.path().join("out"));
    Corpus::new("toy", clips).unwrap().save(&corpus).unwrap();
    (folder, corpus, out)
}

const TWO: [&str; 4] = ["--epochs", "2", "--validation", "valid"];

const FINISHED: [&str; 5] = ["checkpoint.safetensors", "config.json", "metrics.csv", "receiver", "transmitter"];

#[test]
fn the_command_writes_a_run_folder_and_does_not_write_over_one() {
    let (_guard, corpus, out) = folders(toy().clips);
    train(&corpus, &out, &TWO).unwrap();
    assert_eq!(names(&out), FINISHED);
    let before = result(&out);
    let config = std::fs::read(out.join("config.json")).unwrap();
    let message = train(&corpus, &out, &TWO).unwrap_err();
    assert!(message.starts_with(&out.display().to_string()) && message.contains("--resume"), "{message}");
    assert!(result(&out) == before);
    train(&corpus, &out, &[&TWO[..], &["--resume"]].concat()).unwrap();
    assert!(result(&out) == before);
    assert_eq!(std::fs::read(out.join("config.json")).unwrap(), config);
    let message = train(&corpus, &out, &[&TWO[..], &["--resume", "--seed", "3"]].concat()).unwrap_err();
    assert!(message.contains("another `seed`"), "{message}");
    assert!(result(&out) == before);
}

#[test]
fn weights_are_trained_if_missing_and_never_replaced() {
    let (_guard, corpus, out) = folders(toy().clips);
    let missing = [&TWO[..], &["--if-missing"]].concat();
    train(&corpus, &out, &missing).unwrap();
    assert_eq!(names(&out), FINISHED);
    let before = result(&out);
    // With finished weights the corpus is not even read.
    let away = corpus.with_extension("away");
    std::fs::rename(&corpus, &away).unwrap();
    train(&corpus, &out, &missing).unwrap();
    std::fs::rename(&away, &corpus).unwrap();
    assert!(result(&out) == before);

    // A run with other settings is refused, and all settings that differ are named.
    let message = train(Path::new("/no such corpus"), &out, &missing).unwrap_err();
    assert!(
        message.contains("run with another `corpus` (") && message.contains("\"/no such corpus\" asked for"),
        "{message}"
    );
    let others =
        ["--epochs", "3", "--validation", "valid", "--if-missing", "--seed", "5", "--set", "objective.beta=0.5"];
    let message = train(&corpus, &out, &others).unwrap_err();
    for field in [
        "`seed` (0 there, 5 asked for)",
        "`schedule.epochs` (2 there, 3 asked for)",
        "`objective.beta` (0.3 there, 0.5 asked for)",
    ] {
        assert!(message.contains(field), "{field}: {message}");
    }
    let others = ["--epochs", "2", "--validation", "fold:0/2", "--if-missing"];
    assert!(train(&corpus, &out, &others).unwrap_err().contains("another `validation."));
    assert!(result(&out) == before);

    // A run that was interrupted after its epochs, or while the halves were written, is resumed.
    for lost in [&["receiver"][..], &["receiver", "transmitter"]] {
        lost.iter().for_each(|half| std::fs::remove_dir_all(out.join(half)).unwrap());
        train(&corpus, &out, &missing).unwrap();
        assert!(result(&out) == before, "without {lost:?}");
    }

    // Finished weights are kept without their checkpoint; a damaged half is then not overwritten.
    std::fs::remove_file(out.join(checkpoint::FILE)).unwrap();
    train(&corpus, &out, &missing).unwrap();
    std::fs::write(out.join("receiver/manifest.json"), "{").unwrap();
    let damaged = result(&out);
    let message = train(&corpus, &out, &missing).unwrap_err();
    assert!(message.contains("manifest.json") && message.contains("stays as it is"), "{message}");
    assert!(result(&out) == damaged);
    assert!(train(&corpus, &out, &[&missing[..], &["--resume"]].concat()).is_err());
}

#[test]
fn a_run_that_diverges_says_so_and_writes_no_weights() {
    let (_guard, corpus, _) = folders(toy().clips);
    // With all clips in one step, no later gradient reveals what the only step did.
    for (name, more) in [("small-steps", "batch=8"), ("one-step", "batch=64")] {
        let out = corpus.parent().unwrap().join(name);
        let more = ["--epochs", "1", "--validation", "valid", "--set", "schedule.learning_rate=1e30", "--set", more];
        let message = train(&corpus, &out, &more).unwrap_err();
        assert!(message.starts_with("epoch 1: ") && message.contains("finite"), "{message}");
        assert_eq!(names(&out), ["config.json"]);
    }
}

#[test]
fn settings_are_set_by_name_only() {
    let (_guard, corpus, out) = folders(toy().clips);
    let message = |set: &str| train(&corpus, &out, &[&TWO[..], &["--set", set]].concat()).unwrap_err();
    let unknown = message("schedule.speed=3");
    assert!(unknown.contains("schedule.speed=3: no such field"));
    assert!(unknown.contains("; there are: ") && unknown.contains(", schedule.epochs=2, "), "{unknown}");
    assert!(message("batch").contains("--set batch: expected FIELD=VALUE"));
    assert!(message("batch=many").contains("batch=many"));
    assert!(message("batch=0").contains("batch: expected at least 1"));
}

#[test]
fn a_corpus_that_cannot_be_trained_on_is_refused_in_one_line() {
    let refused = |clips: Vec<Clip>, more: &[&str]| {
        let (_guard, corpus, out) = folders(clips);
        let message = train(&corpus, &out, more).unwrap_err();
        assert!(!out.exists() || names(&out).iter().all(|n| n != "transmitter" && n != "receiver"), "{message}");
        message
    };
    let rows = |n: usize, split: &str| -> Vec<Clip> { (0..n).map(|row| clip(row, split)).collect() };
    let message = refused(rows(20, "train"), &TWO);
    assert!(message.contains("no split `valid`") && message.contains("`train` (20 clips)"), "{message}");
    let message = refused(rows(20, "valid"), &TWO);
    assert!(message.contains("no split `train`") && message.contains("`valid` (20 clips)"), "{message}");
    let spoken = |row: usize| Clip { text: "a film".into(), features: [None, None, None], ..clip(row, "train") };
    let message = refused((0..20).map(spoken).collect(), &[]);
    assert!(message.contains("--text-encoder"), "{message}");
    // The held-out clips are then cut from the training split, by video.
    let message = refused(rows(1, "train"), &[]);
    assert!(message.contains("fold:0/2"), "{message}");
    let message = refused(vec![clip(0, "train"), clip(1, "valid")], &TWO);
    assert!(message.contains("1 training clips are too few"), "{message}");
    // One clip has features: first a held-out clip, so that no training clip has any, then the reverse.
    let mut silent: Vec<Clip> = (0..20).map(spoken).collect();
    silent.iter_mut().skip(15).for_each(|c| c.split = "valid".into());
    silent.push(clip(20, "valid"));
    let message = refused(silent.clone(), &TWO);
    assert!(message.contains("none of the 15 training clips holds any of what the network reads: "), "{message}");
    silent.iter_mut().for_each(|c| c.split = if c.split == "valid" { "train" } else { "valid" }.into());
    let message = refused(silent, &TWO);
    assert!(message.contains("none of the 15 held-out clips holds any"), "{message}");
    let mut dead = toy().clips;
    dead.iter_mut().filter(|c| c.split == "train").for_each(|c| c.features[1] = None);
    dead.retain(|c| c.features.iter().any(Option::is_some));
    let message = refused(dead, &TWO);
    assert!(message.contains("no training clip has audio"), "{message}");
}

#[test]
fn an_odd_corpus_is_trained_on_all_the_same() {
    let mut all_negative = toy().clips;
    all_negative.iter_mut().for_each(|c| c.label = -c.label.abs() - 0.1 * f32::from(c.label == 0.0));
    let mut all_zero = toy().clips;
    all_zero.iter_mut().for_each(|c| c.label = 0.0);
    let mut constant = toy().clips;
    for sequence in constant.iter_mut().flat_map(|c| c.features.iter_mut().flatten()) {
        *sequence = corpus::Sequence::new(sequence.width(), vec![1.0; sequence.data().len()]);
    }
    let mut one_modality = toy().clips;
    one_modality.iter_mut().for_each(|c| (c.features[0], c.features[2]) = (None, None));
    one_modality.retain(|c| c.features[1].is_some());
    let fewest = [clip(3, "train"), clip(4, "train"), clip(8, "valid")].to_vec();
    // 17 clips in batches of 16: the last step has a single clip, and so no shuffled pairs.
    let last_alone = (0..20).map(|row| clip(row, if row < 17 { "train" } else { "valid" })).collect();
    for clips in [all_negative, all_zero, constant, one_modality, fewest, last_alone] {
        let (_guard, corpus, out) = folders(clips);
        train(&corpus, &out, &[&TWO[..], &["--set", "batch=16"]].concat()).unwrap();
        assert_eq!(names(&out), FINISHED);
        schemes::weights::load(&out).unwrap();
    }
}
