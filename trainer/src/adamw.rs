//! AdamW (Loshchilov and Hutter, 2019) with settings for each variable, gradient clipping, and a state that can be
//! saved.

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor, Var};
use nn::ops::{tensor, with_slice};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// Default decay rates of AdamW's first and second moments.
pub const USUAL_BETAS: (f32, f32) = (0.9, 0.999);

const EPSILON: f32 = 1e-8;

/// Settings of AdamW for one variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Index of the variable's learning-rate state among those given to [`AdamW::step`].
    pub pace: usize,
    /// Factor on the learning rate of that state.
    pub rate: f32,
    /// Decoupled weight decay, multiplied by the variable's learning rate.
    pub decay: f32,
}

/// Learning-rate state of the variables that share a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Learning rate in the current step.
    pub rate: f32,
    /// Number of steps that these variables have made, including the current one, for bias correction.
    pub steps: u64,
}

struct Slot {
    name: String,
    var: Var,
    group: Group,
    first: Vec<f32>,
    second: Vec<f32>,
}

/// The AdamW optimiser of a set of variables, with their moments.
pub struct AdamW {
    slots: Vec<Slot>,
    step: u64,
    clip: f32,
    betas: (f32, f32),
}

impl AdamW {
    /// An optimiser of these variables. `group` returns the settings of a variable from its name and rank. Gradients
    /// are clipped to the global norm `clip`.
    pub fn new(vars: BTreeMap<String, Var>, clip: f32, group: impl Fn(&str, usize) -> Group) -> Self {
        let slots = vars.into_iter().map(|(name, var)| {
            let n = var.elem_count();
            Slot { group: group(&name, var.rank()), name, var, first: vec![0.0; n], second: vec![0.0; n] }
        });
        AdamW { slots: slots.collect(), step: 0, clip, betas: USUAL_BETAS }
    }

    /// Sets the decay rates of the first and second moments.
    #[must_use]
    pub fn betas(self, betas: (f32, f32)) -> Self {
        AdamW { betas, ..self }
    }

    /// Makes one step along the sum of the micro-batches' gradients, with the learning-rate states `paces`. Returns
    /// the norm of the sum before clipping. Variables without a gradient in any micro-batch stay as they are.
    ///
    /// # Errors
    /// If the gradients are not finite, naming the first such variable; nothing is changed then.
    pub fn step(&mut self, parts: &[GradStore], paces: &[Pace]) -> Result<f32> {
        let gradients: Vec<Option<Vec<f32>>> = self.slots.iter().map(|s| sum(parts, &s.var)).collect::<Result<_>>()?;
        let square = |g: &Option<Vec<f32>>| g.as_ref().map_or(0.0, |g| g.iter().map(|v| *v as f64 * *v as f64).sum());
        let squares: Vec<f64> = gradients.iter().map(square).collect();
        let norm = squares.iter().sum::<f64>().sqrt() as f32;
        if !norm.is_finite() {
            // Each gradient may be finite and the sum of their squares too large; then the largest is named.
            let largest = || (0..squares.len()).max_by(|a, b| squares[*a].total_cmp(&squares[*b]));
            let bad = squares.iter().position(|s| !s.is_finite()).or_else(largest).unwrap_or(0);
            anyhow::bail!("the gradient of `{}` is not finite; lower the learning rate", self.slots[bad].name);
        }
        self.step += 1;
        let scale = if norm > self.clip { self.clip / norm } else { 1.0 };
        for (slot, gradient) in self.slots.iter_mut().zip(&gradients) {
            let Some(gradient) = gradient else { continue };
            let Pace { rate, steps } = paces[slot.group.pace];
            let correction1 = 1.0 - self.betas.0.powi(steps as i32);
            let correction2 = 1.0 - self.betas.1.powi(steps as i32);
            let update = Update {
                gradient,
                moments: Mutex::new((&mut slot.first, &mut slot.second)),
                scale,
                betas: self.betas,
                rate: rate * slot.group.rate / correction1,
                root: 1.0 / correction2,
                keep: 1.0 - rate * slot.group.rate * slot.group.decay,
            };
            slot.var.inplace_op1(&update)?;
        }
        Ok(norm)
    }

    /// Number of steps made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The number of steps made and the moments as tensors, named `first.…` and `second.…` after the variables.
    ///
    /// # Errors
    /// If a tensor cannot be created.
    pub fn state(&self) -> Result<(u64, BTreeMap<String, Tensor>)> {
        let mut tensors = BTreeMap::new();
        for slot in &self.slots {
            tensors.insert(format!("first.{}", slot.name), tensor(slot.first.clone(), slot.var.shape())?);
            tensors.insert(format!("second.{}", slot.name), tensor(slot.second.clone(), slot.var.shape())?);
        }
        Ok((self.step, tensors))
    }

    /// Restores a state that [`AdamW::state`] returned: `step` steps made, and the moments.
    ///
    /// # Errors
    /// If a tensor is missing or has another size, naming it.
    pub fn restore(&mut self, step: u64, tensors: &HashMap<String, Tensor>) -> Result<()> {
        self.step = step;
        for slot in &mut self.slots {
            for (kind, into) in [("first", &mut slot.first), ("second", &mut slot.second)] {
                let name = format!("{kind}.{}", slot.name);
                let saved = tensors.get(&name).with_context(|| format!("tensor `{name}` is missing"))?;
                anyhow::ensure!(saved.elem_count() == into.len(), "tensor `{name}` has shape {:?}", saved.dims());
                with_slice(saved, |saved| into.copy_from_slice(saved))?;
            }
        }
        Ok(())
    }
}

/// The sum of the micro-batches' gradients of one variable, in the order of the micro-batches; `None` where no
/// micro-batch has a gradient of it.
fn sum(parts: &[GradStore], var: &Var) -> Result<Option<Vec<f32>>> {
    let mut total: Option<Vec<f32>> = None;
    for gradient in parts.iter().filter_map(|part| part.get(var.as_tensor())) {
        with_slice(gradient, |g| match &mut total {
            None => total = Some(g.to_vec()),
            Some(total) => total.iter_mut().zip(g).for_each(|(t, g)| *t += g),
        })?;
    }
    Ok(total)
}

/// Updates an EMA in place: average ← keep · average + (1 − keep) · value.
///
/// # Errors
/// If the shapes differ.
pub fn blend(average: &Var, value: &Var, keep: f32) -> Result<()> {
    with_slice(value.as_tensor(), |value| average.inplace_op1(&Blend { value, keep }))??;
    Ok(())
}

struct Blend<'a> {
    value: &'a [f32],
    keep: f32,
}

impl InplaceOp1 for Blend<'_> {
    fn name(&self) -> &'static str {
        "blend"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("blend: expected a contiguous f32 variable");
        };
        for (average, value) in values[start..end].iter_mut().zip(self.value) {
            *average = self.keep * *average + (1.0 - self.keep) * value;
        }
        Ok(())
    }
}

type Moments<'a> = (&'a mut Vec<f32>, &'a mut Vec<f32>);

struct Update<'a> {
    gradient: &'a [f32],
    moments: Mutex<Moments<'a>>,
    scale: f32,
    betas: (f32, f32),
    rate: f32,
    root: f32,
    keep: f32,
}

impl InplaceOp1 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("adamw: expected a contiguous f32 variable");
        };
        let mut moments = self.moments.lock().expect("no panic holds it");
        let (first, second) = &mut *moments;
        let values = &mut values[start..end];
        let moments = first.iter_mut().zip(second.iter_mut());
        for ((value, gradient), (m, v)) in values.iter_mut().zip(self.gradient).zip(moments) {
            let g = gradient * self.scale;
            *m = self.betas.0 * *m + (1.0 - self.betas.0) * g;
            *v = self.betas.1 * *v + (1.0 - self.betas.1) * g * g;
            *value = *value * self.keep - self.rate * *m / ((*v * self.root).sqrt() + EPSILON);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(decay: f32, clip: f32) -> (Var, AdamW) {
        let var = Var::from_tensor(&tensor(vec![1.0, -2.0], 2).unwrap()).unwrap();
        let vars = BTreeMap::from([("w".to_string(), var.clone())]);
        (var, AdamW::new(vars, clip, |_, _| Group { pace: 0, rate: 1.0, decay }))
    }

    #[test]
    fn follows_the_published_rule() {
        let (var, mut adamw) = one(0.1, 1e9);
        let (mut w, mut m, mut v) = ([1.0f64, -2.0], [0f64; 2], [0f64; 2]);
        for t in 1..=5 {
            // loss = Σ w³, gradient 3w².
            let loss = var.powf(3.0).unwrap().sum_all().unwrap();
            adamw.step(&[loss.backward().unwrap()], &[Pace { rate: 0.01, steps: adamw.steps() + 1 }]).unwrap();
            for i in 0..2 {
                let g = 3.0 * w[i] * w[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (mh, vh) = (m[i] / (1.0 - 0.9f64.powi(t)), v[i] / (1.0 - 0.999f64.powi(t)));
                w[i] = w[i] - 0.01 * 0.1 * w[i] - 0.01 * mh / (vh.sqrt() + 1e-8);
            }
        }
        for (ours, exact) in var.to_vec1::<f32>().unwrap().iter().zip(w) {
            assert!((*ours as f64 - exact).abs() < 1e-5, "{ours} {exact}");
        }
    }

    #[test]
    fn clips_the_global_norm_and_sums_the_parts() {
        let (var, mut adamw) = one(0.0, 1.0);
        let loss = || (var.as_tensor() * 3.0).unwrap().sum_all().unwrap().backward().unwrap();
        let norm = adamw.step(&[loss(), loss()], &[Pace { rate: 0.0, steps: 1 }]).unwrap();
        assert!((norm - 6.0 * 2f32.sqrt()).abs() < 1e-5, "{norm}");
        let (_, state) = adamw.state().unwrap();
        let first = state["first.w"].to_vec1::<f32>().unwrap();
        assert!((first[0] - 0.1 / 2f32.sqrt()).abs() < 1e-6, "{first:?}");
    }

    #[test]
    fn a_gradient_that_is_not_finite_is_named_and_changes_nothing() {
        let (var, mut adamw) = one(0.0, 1.0);
        let loss = (var.as_tensor() * f64::INFINITY).unwrap().sum_all().unwrap();
        let error = adamw.step(&[loss.backward().unwrap()], &[Pace { rate: 0.1, steps: 1 }]).unwrap_err().to_string();
        assert!(error.contains("`w`"), "{error}");
        assert_eq!(var.to_vec1::<f32>().unwrap(), [1.0, -2.0]);
    }
}
