//! A training run, from the data to the weights of both halves.

mod deploy;

use crate::adamw::{AdamW, Group, Pace};
use crate::chain::Chain;
use crate::checkpoint::{self, State};
use crate::config::RunConfig;
use crate::data::{Data, Item};
use crate::log;
use crate::objective::{Step, Sums};
use crate::text::Tuned;
use crate::threads::Threads;
use crate::validation::{HeldOut, Scores};
use anyhow::{Context, Result, ensure};
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use corpus::Modality;
use files::PendingFile;
use nn::bert::Checkpoint;
use nn::layers::Run;
use nn::params::Params;
use nn::random::Stream;
use schemes::scheme_kind::SchemeKind;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;

/// Purposes of the random streams of a run: order of the clips, and steps.
const ORDER: u64 = 1;
const STEP: u64 = 2;
/// Purpose of a stream within a step: dropout in the text encoder.
const TEXT: u64 = 1 << 32;
/// Purpose of a stream within a step: which modalities are dropped.
const LOST: u64 = 2 << 32;

/// State of a run that is reported after each epoch.
pub struct Progress<'a> {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Number of epochs that the run has at most.
    pub epochs: usize,
    /// Sums over the clips of the epoch's training steps.
    pub sums: &'a Sums,
    /// Scores on the held-out clips.
    pub scores: &'a Scores,
    /// The best selectable epoch so far, from 1; `None` before the first selectable one.
    pub best: Option<usize>,
}

/// A training run in memory.
pub struct Trainer<'a> {
    config: &'a RunConfig,
    data: &'a Data,
    held_out: HeldOut,
    params: Params,
    network: Chain,
    /// EMA of the weights, and the network with these weights (`averaged`), which is validated and deployed.
    averages: Params,
    averaged: Chain,
    /// The text encoder, if it is fine-tuned.
    text: Option<Tuned<'a>>,
    optimiser: AdamW,
    best: BTreeMap<String, Tensor>,
    state: State,
    threads: Threads,
}

/// Weight decay of a variable. Matrices decay, but not those of encoder and receiver: these learn from endless noise
/// and cannot memorise, and a decision head with small weights has too little confidence. In T-DeepSC, where the text
/// goes straight into the encoder, all matrices but the head's decay.
fn group(name: &str, rank: usize, config: &RunConfig) -> Group {
    let memorising: &[&str] = match config.scheme {
        SchemeKind::TDeepSc => &["extractor.", "encoder.", "decoder."],
        _ => &["extractor.", "uvib.", "auxiliary."],
    };
    let memorises = memorising.iter().any(|prefix| name.starts_with(prefix));
    let decays = rank >= 2 && name.ends_with("weight") && memorises;
    Group { pace: 0, rate: 1.0, decay: if decays { config.weight_decay } else { 0.0 } }
}

impl<'a> Trainer<'a> {
    /// A new run, before its first step.
    ///
    /// # Errors
    /// If a setting is invalid, naming it, or the sizes do not fit the data.
    pub fn new(config: &'a RunConfig, data: &'a Data) -> Result<Self> {
        nn::single_threaded();
        config.check()?;
        let params = Params::fresh(config.seed);
        let network = Chain::new(&params.root(), config.scheme, &config.network)?;
        let averages = Params::from_tensors("averages", copy(&params.tensors(&[""]))?.into_iter().collect(), true);
        let averaged = Chain::new(&averages.root(), config.scheme, &config.network)?;
        let optimiser = AdamW::new(params.vars(), 1.0, |name, rank| group(name, rank, config)).betas(config.betas);
        let held_out = HeldOut::new(data, config.law.channel, config.objective.sign)?;
        let state = State { config: config.clone(), epoch: 0, step: 0, best: None, rows: Vec::new() };
        let best = BTreeMap::new();
        Ok(Trainer {
            config,
            data,
            held_out,
            params,
            network,
            averages,
            averaged,
            text: None,
            optimiser,
            best,
            state,
            threads: Threads::OneAPart,
        })
    }

    /// Sets how many threads the run uses; its result does not depend on it.
    pub fn on(self, threads: Threads) -> Self {
        Trainer { threads, ..self }
    }

    /// Adds a text encoder that is fine-tuned along with the network, if the settings contain `tuning`. To be called
    /// before the first step.
    ///
    /// # Errors
    /// If the settings do not fit the encoder.
    pub fn with_text_encoder(mut self, checkpoint: &'a Checkpoint) -> Result<Self> {
        let Some(tuning) = self.config.tuning else { return Ok(self) };
        let text = Tuned::new(checkpoint, tuning)?;
        let mut vars = self.params.vars();
        vars.extend(text.vars());
        let group = |name: &str, rank| text.group(name, rank).unwrap_or_else(|| group(name, rank, self.config));
        self.optimiser = AdamW::new(vars, 1.0, group).betas(self.config.betas);
        self.text = Some(text);
        Ok(self)
    }

    /// All trained variables, and their EMA, under the same names.
    fn vars(&self) -> (BTreeMap<String, Var>, BTreeMap<String, Var>) {
        let (mut vars, mut averages) = (self.params.vars(), self.averages.vars());
        if let Some(text) = &self.text {
            vars.extend(text.vars());
            averages.extend(text.averages());
        }
        (vars, averages)
    }

    /// Continues the run that was saved in `folder`.
    ///
    /// # Errors
    /// If `folder` holds no saved run, or one with other settings.
    pub fn resume(&mut self, folder: &Path) -> Result<()> {
        let (state, tensors) = checkpoint::load(folder, self.config)?;
        let (vars, averages) = self.vars();
        restore(vars, "param", &tensors)?;
        restore(averages, "average", &tensors)?;
        self.optimiser.restore(state.step, &tensors)?;
        let best = tensors.iter().filter_map(|(name, t)| Some((name.strip_prefix("best.")?.to_string(), t.clone())));
        self.best = best.collect();
        self.state = state;
        // The process may have died between writing the checkpoint and writing its table.
        self.tabulate(folder)
    }

    /// Trains to the last epoch or to early stopping. After each epoch, `folder` gets a checkpoint and `metrics.csv`,
    /// and `progress` is called; with `None` nothing is written.
    ///
    /// # Errors
    /// If a loss is not finite or a file cannot be written.
    pub fn run(&mut self, folder: Option<&Path>, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        while self.state.epoch < self.config.schedule.epochs && !self.stopped() {
            let started = Instant::now();
            let epoch = self.state.epoch + 1;
            let sums = self.epoch().with_context(|| format!("epoch {epoch}"))?;
            if let Some(text) = self.text.as_ref().filter(|text| text.learns((epoch - 1) as f64)) {
                let threads = self.readers();
                self.held_out.reread(self.data, |items| text.read_averaged(items, threads))?;
            }
            let scores =
                self.held_out.score(&self.averaged).with_context(|| format!("epoch {epoch}: held-out clips"))?;
            ensure!(
                scores.criterion.is_finite() && scores.loss.is_finite(),
                "epoch {epoch}: the loss on the held-out clips is not finite; lower the learning rate"
            );
            self.state.epoch = epoch;
            let better = self.state.best.is_none_or(|(_, best)| scores.criterion < best);
            if self.config.schedule.selectable(epoch) && better {
                self.state.best = Some((epoch, scores.criterion));
                self.best = copy(&tensors(self.vars().1))?;
            }
            let schedule = &self.config.schedule;
            let (rate, reversal) = (schedule.rate(epoch as f64), schedule.reversal(epoch as f64));
            let seconds = started.elapsed().as_secs_f64();
            self.state.rows.push(log::row(epoch, rate, reversal, &sums, &scores, seconds));
            if let Some(folder) = folder {
                self.save(folder)?;
            }
            let best = self.state.best.map(|(epoch, _)| epoch);
            progress(Progress { epoch, epochs: schedule.epochs, sums: &sums, scores: &scores, best });
        }
        Ok(())
    }

    /// Number of threads that encode transcripts.
    fn readers(&self) -> usize {
        match self.threads {
            Threads::OneAPart => self.config.parts,
            Threads::One => 1,
        }
    }

    fn stopped(&self) -> bool {
        // Patience is counted from the epoch in which the text encoder begins to learn, at the earliest.
        let begin = self.config.tuning.map_or(0, |tuning| tuning.begin);
        self.state.best.is_some_and(|(best, _)| self.state.epoch >= best.max(begin) + self.config.patience)
    }

    /// The text encoder, if it is fine-tuned and no longer frozen at `time` (in epochs).
    fn tuned(&self, time: f64) -> Option<&Tuned<'a>> {
        self.text.as_ref().filter(|text| text.learns(time))
    }

    /// Learning-rate state of the network and of its text encoder, in the step at `time` (in epochs) with `steps`
    /// steps in an epoch.
    fn paces(&self, time: f64, steps: usize) -> [Pace; 2] {
        let (done, shortly) = (self.optimiser.steps() + 1, time.max(0.5 / steps as f64));
        let tuning = self.config.tuning;
        let begin = tuning.map_or(0, |tuning| tuning.begin);
        let rate =
            tuning.map_or(0.0, |t| t.rate(time.max(begin as f64 + 0.5 / steps as f64), self.config.schedule.epochs));
        let waited = (begin * steps) as u64;
        [
            Pace { rate: self.config.schedule.rate(shortly), steps: done },
            Pace { rate, steps: done.saturating_sub(waited) },
        ]
    }

    fn epoch(&mut self) -> Result<Sums> {
        let epoch = self.state.epoch as u64;
        let order = Stream::new(self.config.seed, &[ORDER, epoch]).permutation(self.data.train.len());
        let steps = order.len().div_ceil(self.config.batch);
        let mut sums = Sums::default();
        for (index, indices) in order.chunks(self.config.batch).enumerate() {
            let time = epoch as f64 + index as f64 / steps as f64;
            let items: Vec<&Item> = indices.iter().map(|i| &self.data.train[*i]).collect();
            let (gradients, step_sums) = self.gradients(&items, time, &[STEP, epoch, index as u64])?;
            self.optimiser.step(&gradients, &self.paces(time, steps))?;
            self.average()?;
            sums.add(&step_sums);
        }
        Ok(sums)
    }

    /// The gradients of each micro-batch of one step, and the sums over the step's clips. With [`Threads::OneAPart`]
    /// each micro-batch has a thread of its own.
    fn gradients(&self, items: &[&Item], time: f64, path: &[u64]) -> Result<(Vec<GradStore>, Sums)> {
        let size = items.len().div_ceil(self.config.parts.max(1));
        let part = |index: usize, items: &[&Item], clips: usize| -> Result<(GradStore, Sums)> {
            let within = |purpose: u64| Stream::new(self.config.seed, &[path, &[index as u64, purpose]].concat());
            let mut losing = within(LOST);
            let lost = items.iter().map(|item| item.lose(self.config.modality_dropout, &mut losing));
            let lost: Vec<[bool; 3]> = lost.collect();
            let text = self.tuned(time);
            // A fine-tuned text encoder encodes the transcripts anew in each step.
            let kept = items.iter().zip(&lost).map(|(item, [t, a, v])| item.without([*t || text.is_some(), *a, *v]));
            let kept: Vec<_> = kept.collect();
            let mut batch = self.data.pack(&kept)?;
            let labels: Vec<f32> = items.iter().map(|item| item.label).collect();
            let stream = Stream::new(self.config.seed, &[path, &[index as u64]].concat());
            if let Some(text) = text {
                let mute = |(item, lost): (&&Item, &[bool; 3])| match lost[Modality::Text.index()] {
                    true => Vec::new(),
                    false => item.tokens.clone(),
                };
                let sentences: Vec<Vec<u32>> = items.iter().zip(&lost).map(mute).collect();
                text.read(self.data, &sentences, &mut batch, &mut Run::training(within(TEXT)))?;
            }
            let reversal = self.config.schedule.reversal(time);
            let step = Step { batch: &batch, labels: &labels, clips, reversal, stream };
            let (loss, sums) = self.network.objective(&self.config.objective, &self.config.law, step)?;
            Ok((loss.backward()?, sums))
        };
        let parts = items.chunks(size).enumerate();
        let results: Vec<Result<(GradStore, Sums)>> = match self.threads {
            Threads::One => parts.map(|(i, chunk)| part(i, chunk, items.len())).collect(),
            Threads::OneAPart => std::thread::scope(|scope| {
                let part = &part;
                let mut parts = parts;
                let first = parts.next().expect("a step has clips");
                let rest: Vec<_> = parts.map(|(i, chunk)| scope.spawn(move || part(i, chunk, items.len()))).collect();
                let mut results = vec![part(first.0, first.1, items.len())];
                results.extend(rest.into_iter().map(|handle| handle.join().expect("a part does not panic")));
                results
            }),
        };
        let mut sums = Sums::default();
        let mut gradients = Vec::with_capacity(results.len());
        for result in results {
            let (gradient, part) = result?;
            sums.add(&part);
            gradients.push(gradient);
        }
        Ok((gradients, sums))
    }

    /// Updates the EMA of the weights.
    fn average(&self) -> Result<()> {
        // At first the EMA covers the few steps made, so that it forgets the initial weights.
        let step = self.optimiser.steps() as f32;
        let keep = self.config.averaging.min((1.0 + step) / (10.0 + step));
        let (current, averages) = self.vars();
        for (name, average) in averages {
            crate::adamw::blend(&average, &current[&name], keep)?;
        }
        Ok(())
    }

    fn save(&mut self, folder: &Path) -> Result<()> {
        let (step, mut tensors) = self.optimiser.state()?;
        self.state.step = step;
        let named = |prefix: &'static str, from: BTreeMap<String, Tensor>| {
            from.into_iter().map(move |(name, tensor)| (format!("{prefix}.{name}"), tensor))
        };
        let (vars, averages) = self.vars();
        tensors.extend(named("param", self::tensors(vars)));
        tensors.extend(named("average", self::tensors(averages)));
        tensors.extend(named("best", self.best.clone()));
        checkpoint::save(folder, &self.state, &tensors)?;
        self.tabulate(folder)
    }

    fn tabulate(&self, folder: &Path) -> Result<()> {
        let table = format!("{}\n{}\n", log::header(), self.state.rows.join("\n"));
        Ok(PendingFile::create(&folder.join("metrics.csv"))?.commit(|out| out.write_all(table.as_bytes()))?)
    }
}

fn tensors(vars: BTreeMap<String, Var>) -> BTreeMap<String, Tensor> {
    vars.into_iter().map(|(name, var)| (name, var.as_tensor().clone())).collect()
}

/// Deep copies of tensors that later steps do not change.
fn copy(tensors: &BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    tensors.iter().map(|(name, tensor)| Ok((name.clone(), tensor.copy()?.detach()))).collect()
}

/// Sets each variable to the tensor of its name after `prefix.`.
fn restore(vars: BTreeMap<String, Var>, prefix: &str, tensors: &HashMap<String, Tensor>) -> Result<()> {
    for (name, var) in vars {
        let name = format!("{prefix}.{name}");
        let saved = tensors.get(&name).with_context(|| format!("{}: tensor `{name}` is missing", checkpoint::FILE))?;
        var.set(saved).with_context(|| format!("{}: tensor `{name}`", checkpoint::FILE))?;
    }
    Ok(())
}
