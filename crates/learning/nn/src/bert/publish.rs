//! Our parameters turned back into the tensors of a checkpoint folder as others publish it.

use crate::params::Params;
use candle_core::{Result, Tensor};
use std::collections::BTreeMap;

/// The tensors of the encoder on `params`, names and layout as in `model.safetensors`: the inverse of what
/// [`super::Checkpoint::read`] does.
///
/// # Errors
/// Candle's.
pub fn published(params: &Params) -> Result<BTreeMap<String, Tensor>> {
    let mut tensors = BTreeMap::new();
    for (name, tensor) in params.tensors(&[""]) {
        if let Some((path, kind)) = name.split_once("query_key_value.") {
            let parts = if kind == "weight" { tensor.t()? } else { tensor };
            let width = parts.dim(0)? / 3;
            for (i, part) in ["query", "key", "value"].into_iter().enumerate() {
                tensors.insert(format!("{path}{part}.{kind}"), parts.narrow(0, i * width, width)?.contiguous()?);
            }
        } else if name.ends_with("dense.weight") {
            tensors.insert(name, tensor.t()?.contiguous()?);
        } else {
            tensors.insert(name, tensor);
        }
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::super::{Bert, Checkpoint};
    use std::path::Path;

    #[test]
    fn a_checkpoint_comes_back_as_it_was() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny-bert");
        let checkpoint = Checkpoint::read(&folder).unwrap();
        let params = checkpoint.params(false);
        Bert::new(&params.root(), checkpoint.config(), checkpoint.tokenizer().unwrap()).unwrap();
        let original = crate::params::read(&folder.join("model.safetensors")).unwrap();
        let published = super::published(&params).unwrap();
        assert!(published.len() > 30);
        for (name, tensor) in published {
            let expected = original.get(&name).or_else(|| original.get(&format!("bert.{name}"))).expect("a known name");
            let flat = |t: &candle_core::Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(flat(&tensor), flat(expected), "{name}");
        }
    }
}
