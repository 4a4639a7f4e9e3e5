//! Our BERT against an independent implementation: `data/tiny-bert` (see `data/make_tiny_bert.py`), and a real checkpoint where
//! `LATENTLINK_TEXT_ENCODER` names one (see `data/reference_minilm.py`).

mod bert_support;

use bert_support::{checkpoint_with, close, data, load, tensors, tiny, values};
use candle_core::{DType, Tensor};
use latentlink_nn::bert::{Bert, Checkpoint};
use latentlink_nn::layers::Run;
use latentlink_nn::params::Params;
use latentlink_nn::random::Stream;
use sequences::Sequence;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;

#[derive(Deserialize)]
struct Reference {
    sentences: Vec<String>,
    ids: Vec<Vec<u32>>,
    loss: f64,
    gradient_norms: HashMap<String, f64>,
}

fn reference() -> (Reference, HashMap<String, Tensor>) {
    let json = std::fs::read_to_string(tiny().join("reference.json")).unwrap();
    (serde_json::from_str(&json).unwrap(), tensors(&tiny().join("reference.safetensors")))
}

fn hold_against_reference(bert: &Bert, prefix: &str, tolerance: f32) {
    let (reference, tensors) = reference();
    let hidden = bert.encode(&reference.sentences).unwrap();
    let mut compared = 0;
    for (i, ours) in hidden.iter().enumerate() {
        let Some(theirs) = tensors.get(&format!("{prefix}.{i}")) else {
            continue;
        };
        assert_eq!((ours.frames(), ours.width()), theirs.dims2().unwrap());
        close(ours.data(), &values(theirs), tolerance, &format!("{prefix}.{i}"));
        compared += 1;
    }
    assert!(compared >= 2);
}

#[test]
fn token_ids_are_the_references_and_cut_to_the_positions() {
    let (reference, _) = reference();
    let (bert, _) = load(&tiny(), false);
    for (sentence, ids) in reference.sentences.iter().zip(&reference.ids) {
        assert_eq!(&bert.tokenizer().ids(sentence).unwrap(), ids, "{sentence}");
    }
    assert_eq!(reference.ids.iter().map(Vec::len).max(), Some(24));
}

#[test]
fn hidden_states_are_the_references() {
    hold_against_reference(&load(&tiny(), false).0, "hidden", 1e-5);
}

#[test]
fn the_tanh_form_of_gelu_is_read_from_the_config() {
    let folder = checkpoint_with(|c| c["hidden_act"] = "gelu_new".into(), |t| t);
    hold_against_reference(&load(folder.path(), false).0, "hidden_tanh", 1e-5);
}

#[test]
fn the_rectifier_is_read_from_the_config() {
    let folder = checkpoint_with(|c| c["hidden_act"] = "relu".into(), |t| t);
    let text = ["the film was great"];
    let (relu, gelu) = (load(folder.path(), false).0.encode(&text), load(&tiny(), false).0.encode(&text));
    assert_ne!(relu.unwrap(), gelu.unwrap());
}

#[test]
fn prefixed_and_old_names_give_the_same_bits() {
    let folder = checkpoint_with(
        |_| {},
        |tensors| {
            let rename = |name: String| {
                let name =
                    name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
                format!("bert.{name}")
            };
            tensors.into_iter().map(|(name, tensor)| (rename(name), tensor)).collect()
        },
    );
    let (reference, _) = reference();
    let ours = load(folder.path(), false).0.encode(&reference.sentences).unwrap();
    assert_eq!(ours, load(&tiny(), false).0.encode(&reference.sentences).unwrap());
}

#[test]
fn half_precision_checkpoints_are_read() {
    for (dtype, tolerance) in [(DType::F16, 2e-2), (DType::BF16, 1.5e-1)] {
        let folder = checkpoint_with(
            |_| {},
            |tensors| tensors.into_iter().map(|(name, t)| (name, t.to_dtype(dtype).unwrap())).collect(),
        );
        hold_against_reference(&load(folder.path(), false).0, "hidden", tolerance);
    }
}

#[test]
fn a_sentence_has_the_same_bits_alone_and_in_any_batch() {
    let (reference, _) = reference();
    let (bert, _) = load(&tiny(), false);
    let alone: Vec<Sequence> = reference.sentences.iter().map(|s| bert.encode(&[s]).unwrap().remove(0)).collect();
    // More tokens than go through at a time, and each sentence in other company every time.
    let order: Vec<usize> = (0..100).map(|i| i * i % reference.sentences.len()).collect();
    let batch: Vec<&String> = order.iter().map(|i| &reference.sentences[*i]).collect();
    for (hidden, i) in bert.encode(&batch).unwrap().iter().zip(&order) {
        assert_eq!(hidden, &alone[*i]);
    }
    assert!(bert.encode::<&str>(&[]).unwrap().is_empty());
}

/// The reference's loss over all sentences packed in one batch.
fn loss(bert: &Bert, run: &mut Run) -> Tensor {
    let (reference, tensors) = reference();
    let (hidden, offsets) = bert.forward(&reference.ids, run).unwrap();
    let rows: Vec<Tensor> = offsets.ranges().map(|r| tensors["projection"].narrow(0, 0, r.len()).unwrap()).collect();
    (hidden * Tensor::cat(&rows, 0).unwrap()).unwrap().sum_all().unwrap()
}

/// Gradients under the reference's names and in its layout.
fn gradients(params: &Params, loss: &Tensor) -> HashMap<String, Tensor> {
    let store = loss.backward().unwrap();
    let mut gradients = HashMap::new();
    for (name, var) in params.vars() {
        let gradient = store.get(var.as_tensor()).unwrap_or_else(|| panic!("{name} has no gradient")).clone();
        let transposed = name.ends_with("weight") && !name.contains("embeddings") && !name.contains("LayerNorm");
        let gradient = if transposed { gradient.t().unwrap().contiguous().unwrap() } else { gradient };
        if name.contains("query_key_value") {
            for (part, gradient) in ["query", "key", "value"].iter().zip(gradient.chunk(3, 0).unwrap()) {
                gradients.insert(name.replace("query_key_value", part), gradient);
            }
        } else {
            gradients.insert(name, gradient);
        }
    }
    gradients
}

#[test]
fn gradients_are_the_references() {
    let (reference, tensors) = reference();
    let (bert, params) = load(&tiny(), true);
    let loss = loss(&bert, &mut Run::evaluating());
    let value = loss.to_scalar::<f32>().unwrap() as f64;
    assert!((value - reference.loss).abs() < 1e-4 * reference.loss, "loss {value} against {}", reference.loss);

    let ours = gradients(&params, &loss);
    assert_eq!(ours.len(), reference.gradient_norms.len());
    for (name, norm) in &reference.gradient_norms {
        let got = values(&ours[name]).iter().map(|g| (*g as f64).powi(2)).sum::<f64>().sqrt();
        // A key's bias shifts all scores of a query alike: its gradient is zero but for rounding.
        assert!((got - norm).abs() < 1e-5 * norm.max(10.0), "{name}: norm {got} against {norm}");
    }
    let mut compared = 0;
    for (name, theirs) in tensors.iter().filter_map(|(name, t)| Some((name.strip_prefix("grad.")?, t))) {
        let scale = values(theirs).iter().fold(1.0f32, |m, g| m.max(g.abs()));
        close(&values(&ours[name]), &values(theirs), 1e-5 * scale, name);
        compared += 1;
    }
    assert!(compared > 10);
}

#[test]
fn training_drops_out_and_a_stream_repeats_it() {
    let (bert, params) = load(&tiny(), true);
    let train = |seed| values(&loss(&bert, &mut Run::training(Stream::new(seed, &[]))));
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
    assert_ne!(train(1), values(&loss(&bert, &mut Run::evaluating())));
    assert_eq!(gradients(&params, &loss(&bert, &mut Run::training(Stream::new(1, &[])))).len(), 37);
}

#[test]
fn fixed_parameters_leave_no_tape() {
    let (bert, params) = load(&tiny(), false);
    assert!(params.vars().is_empty());
    assert!(!loss(&bert, &mut Run::evaluating()).track_op());
}

#[derive(Deserialize)]
struct RealReference {
    weights_sha256: String,
    sentences: Vec<String>,
    ids: Vec<Vec<u32>>,
}

#[test]
fn a_real_checkpoint_gives_the_references_embeddings() {
    let Some(folder) = std::env::var_os("LATENTLINK_TEXT_ENCODER") else {
        println!("skipped: LATENTLINK_TEXT_ENCODER names no checkpoint");
        return;
    };
    let folder = Path::new(&folder);
    let reference: RealReference =
        serde_json::from_str(&std::fs::read_to_string(data().join("minilm.json")).unwrap()).unwrap();
    let weights = std::fs::read(folder.join("model.safetensors")).unwrap();
    let hash: String = Sha256::digest(weights).iter().map(|b| format!("{b:02x}")).collect();
    if hash != reference.weights_sha256 {
        println!("skipped: LATENTLINK_TEXT_ENCODER names another checkpoint than data/minilm.json is of");
        return;
    }
    let checkpoint = Checkpoint::read(folder).unwrap();
    let params = checkpoint.params(false);
    let bert = Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer().unwrap()).unwrap();
    let theirs = tensors(&data().join("minilm.safetensors"));
    let hidden = bert.encode(&reference.sentences).unwrap();
    for (i, (hidden, ids)) in hidden.iter().zip(&reference.ids).enumerate() {
        assert_eq!(&bert.tokenizer().ids(&reference.sentences[i]).unwrap(), ids);
        let rows: Vec<&[f32]> = hidden.data().chunks(hidden.width()).collect();
        let mean: Vec<f32> =
            (0..hidden.width()).map(|j| rows.iter().map(|row| row[j]).sum::<f32>() / rows.len() as f32).collect();
        for (name, ours) in [("cls", rows[0]), ("last", rows[rows.len() - 2]), ("mean", &mean)] {
            close(ours, &values(&theirs[name].get(i).unwrap()), 1e-5, &format!("{name} of sentence {i}"));
        }
    }
}
