//! Parameters addressed by path, so that a tensor's name tells where it lives.

use crate::ops::tensor;
use crate::random::Stream;
use candle_core::{DType, Device, Tensor, Var};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Why a parameter cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ParamError {
    /// The file holds no tensor of this name.
    #[error("{file}: tensor `{name}` is missing")]
    Missing {
        /// The file looked into.
        file: String,
        /// The tensor's path.
        name: String,
    },
    /// The tensor has another shape than the network asks for.
    #[error("{file}: tensor `{name}` has shape {got:?}, expected {expected:?}")]
    Shape {
        /// The file looked into.
        file: String,
        /// The tensor's path.
        name: String,
        /// What the network asks for.
        expected: Vec<usize>,
        /// What the file holds.
        got: Vec<usize>,
    },
    /// The tensor holds no floating-point numbers.
    #[error("{file}: tensor `{name}` has dtype {got}, expected f32, f16 or bf16")]
    DType {
        /// The file looked into.
        file: String,
        /// The tensor's path.
        name: String,
        /// What the file holds.
        got: String,
    },
    /// The tensor holds NaN or infinity.
    #[error("{file}: tensor `{name}` is not finite")]
    NotFinite {
        /// The file looked into.
        file: String,
        /// The tensor's path.
        name: String,
    },
    /// The file cannot be read.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// Candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// How a fresh parameter begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same value everywhere.
    Constant(f32),
    /// Uniform on ±bound.
    Uniform(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

enum Source {
    Fresh { seed: u64 },
    Tensors { file: String, tensors: HashMap<String, Tensor> },
}

/// The parameters of a network: drawn afresh from a seed or read from a file, trainable or fixed.
pub struct Params {
    source: Source,
    trainable: bool,
    /// Of trainable parameters, those that stay as they are, by the beginnings of their paths.
    kept: Vec<String>,
    vars: Mutex<BTreeMap<String, Var>>,
    fixed: Mutex<BTreeMap<String, Tensor>>,
}

impl Params {
    /// Trainable parameters drawn from `seed`; each from a stream of its own name, so that a new module changes no other.
    pub fn fresh(seed: u64) -> Self {
        Params::with(Source::Fresh { seed }, true)
    }

    /// Parameters from tensors in memory; `file` is what errors call them.
    pub fn from_tensors(file: &str, tensors: HashMap<String, Tensor>, trainable: bool) -> Self {
        Params::with(Source::Tensors { file: file.into(), tensors }, trainable)
    }

    /// Parameters of a safetensors file.
    ///
    /// # Errors
    /// If the file cannot be read or is no safetensors file.
    pub fn load(file: &Path, trainable: bool) -> Result<Self, ParamError> {
        Ok(Params::from_tensors(&file.display().to_string(), read(file)?, trainable))
    }

    fn with(source: Source, trainable: bool) -> Self {
        Params { source, trainable, kept: Vec::new(), vars: Mutex::default(), fixed: Mutex::default() }
    }

    /// Of these, the parameters whose path begins with one of `prefixes` are fixed.
    #[must_use]
    pub fn keeping(mut self, prefixes: impl IntoIterator<Item = String>) -> Self {
        self.kept.extend(prefixes);
        self
    }

    /// The root of all paths.
    pub fn root(&self) -> Scope<'_> {
        Scope { params: self, path: String::new() }
    }

    /// All trainable variables by path, in the order of their names.
    pub fn vars(&self) -> BTreeMap<String, Var> {
        self.vars.lock().expect("no panic holds it").clone()
    }

    /// All parameters by path, trainable or not, whose path begins with one of `prefixes`.
    pub fn tensors(&self, prefixes: &[&str]) -> BTreeMap<String, Tensor> {
        let mut all = self.fixed.lock().expect("no panic holds it").clone();
        all.extend(self.vars().into_iter().map(|(name, var)| (name, var.as_tensor().clone())));
        all.retain(|name, _| prefixes.iter().any(|p| name.starts_with(p)));
        all
    }

    fn get(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor, ParamError> {
        if let Some(var) = self.vars.lock().expect("no panic holds it").get(name) {
            return Ok(var.as_tensor().clone());
        }
        let kept = self.kept.iter().any(|prefix| name.starts_with(prefix));
        let value = match &self.source {
            Source::Fresh { seed } => draw(*seed, name, shape, init)?,
            Source::Tensors { file, tensors } => lookup(file, tensors, name, shape)?,
        };
        if self.trainable && !kept {
            let var = Var::from_tensor(&value)?;
            let tensor = var.as_tensor().clone();
            self.vars.lock().expect("no panic holds it").insert(name.into(), var);
            Ok(tensor)
        } else {
            self.fixed.lock().expect("no panic holds it").insert(name.into(), value.clone());
            Ok(value)
        }
    }

    fn find(&self, name: &str, shape: &[usize]) -> Result<Option<Tensor>, ParamError> {
        let Source::Tensors { file, tensors } = &self.source else { return Ok(None) };
        if !tensors.contains_key(name) {
            return Ok(None);
        }
        let value = lookup(file, tensors, name, shape)?;
        self.fixed.lock().expect("no panic holds it").insert(name.into(), value.clone());
        Ok(Some(value))
    }
}

/// All tensors of a safetensors file, on the CPU.
///
/// # Errors
/// If the file cannot be read or is no safetensors file.
pub fn read(file: &Path) -> Result<HashMap<String, Tensor>, ParamError> {
    let reason =
        |e: &dyn std::fmt::Display| ParamError::File { file: file.display().to_string(), reason: e.to_string() };
    let bytes = std::fs::read(PathBuf::from(file)).map_err(|e| reason(&e))?;
    candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|e| reason(&e))
}

fn draw(seed: u64, name: &str, shape: &[usize], init: Init) -> Result<Tensor, ParamError> {
    let path: Vec<u64> = name.bytes().map(u64::from).collect();
    let mut stream = Stream::new(seed, &path);
    let n = shape.iter().product();
    let values = match init {
        Init::Constant(value) => vec![value; n],
        Init::Uniform(bound) => (0..n).map(|_| (2.0 * stream.uniform() - 1.0) as f32 * bound).collect(),
        Init::Normal(sd) => stream.normals(n).into_iter().map(|v| v * sd).collect(),
    };
    Ok(tensor(values, shape)?)
}

fn lookup(file: &str, tensors: &HashMap<String, Tensor>, name: &str, shape: &[usize]) -> Result<Tensor, ParamError> {
    let (file, name) = (file.to_string(), name.to_string());
    let Some(value) = tensors.get(&name) else { return Err(ParamError::Missing { file, name }) };
    if value.dims() != shape {
        return Err(ParamError::Shape { file, name, expected: shape.into(), got: value.dims().into() });
    }
    if !matches!(value.dtype(), DType::F32 | DType::F16 | DType::BF16 | DType::F64) {
        return Err(ParamError::DType { file, name, got: value.dtype().as_str().into() });
    }
    let value = value.to_dtype(DType::F32)?.contiguous()?;
    if !crate::ops::with_slice(&value, |v| v.iter().all(|x| x.is_finite()))? {
        return Err(ParamError::NotFinite { file, name });
    }
    Ok(value)
}

/// A place in the tree of parameters.
#[derive(Clone)]
pub struct Scope<'a> {
    params: &'a Params,
    path: String,
}

impl Scope<'_> {
    /// The place `name` below this one.
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        let path = if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) };
        Scope { params: self.params, path }
    }

    /// The parameter `name` of this place.
    ///
    /// # Errors
    /// If the file lacks it or holds it in another shape or dtype.
    pub fn get(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor, ParamError> {
        self.params.get(&self.at(name).path, shape, init)
    }

    /// The parameter `name` of this place, fixed, if the file holds it. Fresh parameters have none.
    ///
    /// # Errors
    /// If the file holds it in another shape or dtype.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<Option<Tensor>, ParamError> {
        self.params.find(&self.at(name).path, shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_parameter_depends_on_seed_and_name_alone() {
        let get = |params: &Params, name| {
            let t = params.root().at("a").get(name, &[4], Init::Normal(1.0)).unwrap();
            t.to_vec1::<f32>().unwrap()
        };
        let (one, two) = (Params::fresh(1), Params::fresh(1));
        get(&two, "other");
        assert_eq!(get(&one, "w"), get(&two, "w"));
        assert_ne!(get(&one, "w"), get(&one, "v"));
        assert_eq!(one.vars().keys().collect::<Vec<_>>(), ["a.v", "a.w"]);
    }

    #[test]
    fn what_is_kept_is_no_variable() {
        let tensors = HashMap::from(["a.w", "b.w"].map(|name| (name.to_string(), tensor(vec![1.0], 1).unwrap())));
        let params = Params::from_tensors("w", tensors, true).keeping(["a.".into()]);
        for name in ["a", "b"] {
            params.root().at(name).get("w", &[1], Init::Constant(0.0)).unwrap();
        }
        assert_eq!(params.vars().keys().collect::<Vec<_>>(), ["b.w"]);
        assert_eq!(params.tensors(&[""]).len(), 2);
    }

    #[test]
    fn what_a_file_lacks_is_named() {
        let tensors = HashMap::from([("a.w".into(), tensor(vec![0.0, f32::NAN], 2).unwrap())]);
        let params = Params::from_tensors("w.safetensors", tensors, false);
        let message = |name, shape: &[usize]| {
            params.root().at("a").get(name, shape, Init::Constant(0.0)).unwrap_err().to_string()
        };
        assert_eq!(message("v", &[2]), "w.safetensors: tensor `a.v` is missing");
        assert_eq!(message("w", &[3]), "w.safetensors: tensor `a.w` has shape [2], expected [3]");
        assert_eq!(message("w", &[2]), "w.safetensors: tensor `a.w` is not finite");
    }
}
