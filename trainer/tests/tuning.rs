//! Fine-tuning of a text encoder: which variables learn, which stay frozen, and what is deployed.

mod support;

use corpus::{Clip, Corpus};
use nn::bert::{Bert, Checkpoint};
use schemes::scheme::ClipInput;
use std::collections::BTreeMap;
use std::path::Path;
use support::{clip, settings};
use trainer::config::RunConfig;
use trainer::config::Tuning;
use trainer::data::Data;
use trainer::material::Material;
use trainer::text::Tuned;
use trainer::train::Trainer;

fn tiny_bert() -> Checkpoint {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/learning/nn/tests/data/tiny-bert");
    Checkpoint::read(&folder).unwrap()
}

/// A corpus whose transcripts reveal the sign of the label; every sixth clip has none, and every tenth has no other
/// features.
fn spoken() -> Corpus {
    let clips = (0..60).map(|row| {
        let mut clip = clip(row, if row < 44 { "train" } else { "valid" });
        clip.features[0] = None;
        if row % 10 == 3 {
            clip.features = [None, None, None];
        }
        let words = if clip.label > 0.0 { "the film was great" } else { "bad movie, the plot was bad" };
        clip.text = if row % 6 == 0 { String::new() } else { words.into() };
        clip
    });
    Corpus::new("spoken", clips.filter(|clip| !clip.text.is_empty() || clip.features[1].is_some()).collect()).unwrap()
}

fn tuned_settings() -> RunConfig {
    let tuning = Tuning { begin: 2, rate: 1e-3, layer_decay: 0.9, frozen_layers: 0, weight_decay: 0.01 };
    RunConfig { text_encoder: Some("tiny-bert".into()), tuning: Some(tuning), ..settings() }
}

struct Ready {
    checkpoint: Checkpoint,
    config: RunConfig,
    data: Data,
}

fn ready(config: RunConfig) -> Ready {
    let checkpoint = tiny_bert();
    let mut material = Material::new(spoken(), Some(tiny_bert())).unwrap();
    material.read(&config.validation, &|_, _| ()).unwrap();
    let data = material.data(&config.validation, 1).unwrap();
    let config = RunConfig { network: support::tiny(data.widths), ..config };
    Ready { checkpoint, config, data }
}

fn trainer(ready: &Ready) -> Trainer<'_> {
    Trainer::new(&ready.config, &ready.data).unwrap().with_text_encoder(&ready.checkpoint).unwrap()
}

/// The tensors of the text encoder in the weights of a run, by name.
fn encoder_of(folder: &Path) -> BTreeMap<String, Vec<f32>> {
    let file = folder.join("transmitter/text-encoder/model.safetensors");
    let tensors = nn::params::read(&file).unwrap();
    tensors.into_iter().map(|(name, t)| (name, t.flatten_all().unwrap().to_vec1().unwrap())).collect()
}

#[test]
fn the_layers_learn_and_the_embeddings_stay() {
    let mut config = tuned_settings();
    config.tuning.as_mut().unwrap().frozen_layers = 1;
    let ready = ready(config);
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let frozen = RunConfig { tuning: None, ..ready.config.clone() };
    let params = ready.checkpoint.params(false);
    Bert::new(&params.root(), ready.checkpoint.config(), ready.checkpoint.tokenizer().unwrap()).unwrap();
    let mut run = Trainer::new(&frozen, &ready.data).unwrap();
    run.run(None, &mut |_| ()).unwrap();
    run.deploy(before.path(), Some((&ready.checkpoint, &params))).unwrap();
    let mut run = trainer(&ready);
    run.run(None, &mut |_| ()).unwrap();
    run.deploy(after.path(), None).unwrap();

    let (before, after) = (encoder_of(before.path()), encoder_of(after.path()));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, values) in &after {
        // The bias of a key shifts all scores of a query alike, and so has no gradient.
        let learns = name.starts_with("encoder.layer.1.") && !name.ends_with("self.key.bias");
        let stays = name.starts_with("embeddings.") || name.starts_with("encoder.layer.0.");
        assert!(!learns || *values != before[name], "{name} did not learn");
        assert!(!stays || *values == before[name], "{name} changed");
    }
}

#[test]
fn what_is_deployed_is_what_was_validated() {
    let ready = ready(tuned_settings());
    let folder = tempfile::tempdir().unwrap();
    let mut run = trainer(&ready);
    let mut last = None;
    run.run(Some(folder.path()), &mut |progress| {
        if progress.best == Some(progress.epoch) {
            last = Some(*progress.scores);
        }
    })
    .unwrap();
    run.deploy(folder.path(), None).unwrap();

    let transmitter = schemes::weights::load_transmitter(folder.path()).unwrap();
    let receiver = schemes::weights::load_receiver(folder.path()).unwrap();
    let corpus = spoken();
    let held_out: Vec<&Clip> = corpus.clips.iter().filter(|clip| clip.split == "valid").collect();
    let (mut right, mut all) = (0u32, 0u32);
    for clip in held_out {
        let transcript = (!clip.text.is_empty()).then(|| clip.text.clone());
        let input = ClipInput { features: clip.features.clone(), transcript, video: None };
        let burst = transmitter.transmit(&[input], &[]).remove(0).unwrap().symbols;
        let equalised =
            phy::equalise(burst.reals(), phy::Complex { re: 1.0, im: 0.0 }, 0.0, receiver.card().equaliser).unwrap();
        let prediction = receiver.receive(&[equalised.into()]).remove(0).unwrap();
        all += 1;
        right += u32::from(prediction.is_pos() == (clip.label > 0.0));
    }
    let validated = last.unwrap().noiseless.acc2;
    assert!((validated - f64::from(right) / f64::from(all)).abs() < 1e-9, "{validated}: {right} of {all}");
    let manifest = std::fs::read_to_string(folder.path().join("transmitter/manifest.json")).unwrap();
    assert!(manifest.contains("tiny-bert (fine-tune)"), "{manifest}");
}

fn bytes(folder: &Path) -> Vec<Vec<u8>> {
    let files = [
        "transmitter/text-encoder/model.safetensors",
        "transmitter/weights.safetensors",
        "receiver/weights.safetensors",
    ];
    files.map(|name| std::fs::read(folder.join(name)).unwrap()).to_vec()
}

#[test]
fn an_interrupted_run_ends_as_an_undisturbed_one() {
    let ready = ready(tuned_settings());
    let whole = tempfile::tempdir().unwrap();
    let mut run = trainer(&ready);
    run.run(None, &mut |_| ()).unwrap();
    run.deploy(whole.path(), None).unwrap();

    let cut = tempfile::tempdir().unwrap();
    let stop = std::panic::AssertUnwindSafe(|| {
        let mut run = trainer(&ready);
        let _ = run.run(Some(cut.path()), &mut |progress| assert!(progress.epoch < 4, "stop here"));
    });
    assert!(std::panic::catch_unwind(stop).is_err());
    let mut run = trainer(&ready);
    run.resume(cut.path()).unwrap();
    run.run(Some(cut.path()), &mut |_| ()).unwrap();
    run.deploy(cut.path(), None).unwrap();
    assert!(bytes(whole.path()) == bytes(cut.path()));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let refused = |change: &dyn Fn(&mut Tuning)| {
        let mut config = tuned_settings();
        change(config.tuning.as_mut().unwrap());
        config.check().unwrap_err().to_string()
    };
    assert!(refused(&|t| t.rate = 0.0).contains("tuning.rate"));
    assert!(refused(&|t| t.layer_decay = 1.5).contains("tuning.layer_decay"));
    assert!(refused(&|t| t.weight_decay = f32::NAN).contains("tuning.weight_decay"));
    let none = RunConfig { text_encoder: None, ..tuned_settings() };
    assert!(none.check().unwrap_err().to_string().contains("no text encoder"));
    let deep = Tuning { frozen_layers: 2, ..tuned_settings().tuning.unwrap() };
    let checkpoint = tiny_bert();
    assert!(Tuned::new(&checkpoint, deep).err().unwrap().to_string().contains("has 2 layers"));
}
