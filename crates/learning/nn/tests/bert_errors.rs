//! What is wrong with a checkpoint is said in one line that names the file, the field or the tensor.

mod bert_support;

use bert_support::{checkpoint_with, load, tiny};
use candle_core::{DType, Device, Tensor};
use latentlink_nn::bert::{Bert, Checkpoint};
use latentlink_nn::layers::Run;
use latentlink_nn::params::Params;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// The error of reading a folder, with the folder itself cut out.
fn error(folder: &Path) -> String {
    let message = Checkpoint::read(folder).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message.replace(&format!("{}/", folder.display()), "")
}

fn config_error(change: impl FnOnce(&mut Value)) -> String {
    error(checkpoint_with(change, |t| t).path())
}

fn tensor_error(change: impl FnOnce(&mut HashMap<String, Tensor>)) -> String {
    let change = |mut tensors| {
        change(&mut tensors);
        tensors
    };
    error(checkpoint_with(|_| {}, change).path())
}

#[test]
fn a_missing_file_is_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let folder = checkpoint_with(|_| {}, |t| t);
        std::fs::remove_file(folder.path().join(name)).unwrap();
        let message = error(folder.path());
        assert!(message.starts_with(&format!("{name}: No such file")), "{message}");
    }
}

#[test]
fn a_broken_file_is_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let folder = checkpoint_with(|_| {}, |t| t);
        std::fs::write(folder.path().join(name), "{").unwrap();
        let message = error(folder.path());
        assert!(message.starts_with(&format!("{name}: ")), "{message}");
    }
}

#[test]
fn a_cut_weights_file_is_named() {
    let folder = checkpoint_with(|_| {}, |t| t);
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 100]).unwrap();
    let message = error(folder.path());
    assert!(message.starts_with("model.safetensors: "), "{message}");
}

#[test]
fn another_family_is_refused_before_its_fields_are_missed() {
    let message = config_error(|c| *c = json!({"model_type": "distilbert", "dim": 768}));
    assert_eq!(message, "config.json: model_type: expected bert, got distilbert");
}

#[test]
fn settings_that_are_not_implemented_are_named() {
    let cases = [
        ("architectures", json!(["RobertaModel"]), "architectures: expected those of BERT, got RobertaModel"),
        (
            "position_embedding_type",
            json!("relative_key"),
            "position_embedding_type: expected absolute, got relative_key",
        ),
        ("is_decoder", json!(true), "is_decoder: expected false, got true"),
        ("num_attention_heads", json!(5), "num_attention_heads: expected a divisor of hidden_size 32, got 5"),
        ("num_hidden_layers", json!(0), "num_hidden_layers: expected at least 1, got 0"),
        ("layer_norm_eps", json!(-1.0), "layer_norm_eps: expected at least 0, got -1"),
        ("hidden_dropout_prob", json!(1.0), "hidden_dropout_prob: expected 0 to less than 1, got 1"),
    ];
    for (field, value, expected) in cases {
        assert_eq!(config_error(|c| c[field] = value), format!("config.json: {expected}"));
    }
    let message = config_error(|c| c["hidden_act"] = "swish".into());
    assert!(message.starts_with("config.json: unknown variant `swish`"), "{message}");
    let message = config_error(|c| c["hidden_size"] = Value::Null);
    assert!(message.starts_with("config.json: "), "{message}");
}

#[test]
fn a_tokenizer_that_does_not_fit_is_named() {
    let small = |c: &mut Value| c["vocab_size"] = 70.into();
    let cut = |mut tensors: HashMap<String, Tensor>| {
        let words = tensors.get_mut("embeddings.word_embeddings.weight").unwrap();
        *words = words.narrow(0, 0, 70).unwrap().contiguous().unwrap();
        tensors
    };
    let message = error(checkpoint_with(small, cut).path());
    assert_eq!(
        message,
        "config.json: vocab_size: expected more than 77, the id of token \"act\" in tokenizer.json, got 70"
    );

    let short = |c: &mut Value| c["max_position_embeddings"] = 2.into();
    let cut = |mut tensors: HashMap<String, Tensor>| {
        let positions = tensors.get_mut("embeddings.position_embeddings.weight").unwrap();
        *positions = positions.narrow(0, 0, 2).unwrap().contiguous().unwrap();
        tensors
    };
    let message = error(checkpoint_with(short, cut).path());
    assert!(message.starts_with("config.json: max_position_embeddings: expected more than the 2"), "{message}");
}

#[test]
fn a_tensor_that_is_missing_or_wrong_is_named() {
    let key = "encoder.layer.1.attention.self.key.weight";
    let message = tensor_error(|t| drop(t.remove(key)));
    assert_eq!(message, format!("model.safetensors: tensor `{key}` is missing"));
    let message = tensor_error(|t| {
        let cut = t[key].narrow(0, 0, 31).unwrap().contiguous().unwrap();
        t.insert(key.into(), cut);
    });
    assert_eq!(message, format!("model.safetensors: tensor `{key}` has shape [31, 32], expected [32, 32]"));
    let message = tensor_error(|t| {
        let whole = t[key].to_dtype(DType::I64).unwrap();
        t.insert(key.into(), whole);
    });
    assert!(message.starts_with(&format!("model.safetensors: tensor `{key}` has dtype i64")), "{message}");
    let message = tensor_error(|t| {
        let nan = Tensor::full(f32::NAN, (32, 32), &Device::Cpu).unwrap();
        t.insert(key.into(), nan);
    });
    assert_eq!(message, format!("model.safetensors: tensor `{key}` is not finite"));
}

#[test]
fn tokens_that_have_no_embedding_are_an_error() {
    let (bert, _) = load(&tiny(), false);
    assert!(bert.forward(&[vec![2, 78, 3]], &mut Run::evaluating()).is_err());
    assert!(bert.forward(&[vec![2; 25]], &mut Run::evaluating()).is_err());
}

#[test]
fn an_encoder_also_begins_afresh() {
    let checkpoint = Checkpoint::read(&tiny()).unwrap();
    let params = Params::fresh(1);
    let scope = params.root().at("text_encoder");
    let bert = Bert::new(&scope, checkpoint.config(), checkpoint.tokenizer().unwrap()).unwrap();
    let hidden = bert.encode(&["great"]).unwrap();
    assert!(hidden[0].data().iter().all(|x| x.is_finite()));
    assert!(params.vars().keys().all(|name| name.starts_with("text_encoder.")));
}
