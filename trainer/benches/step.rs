//! Times one training step of preset `paper`, for comparison with `step_torch.py`. Prints one JSON object.
//!
//! The step is that of `trainer::train`: packing and standardising the batch, forward and backward pass in two
//! micro-batches on two threads, clipping, AdamW. It has one channel realisation, one shuffled pair per clip and no
//! antipodal term, as in the PyTorch script. The EMA of the weights, which that script does not keep, is timed
//! separately as `averaging_ms`.

use anyhow::{Result, ensure};
use candle_core::backprop::GradStore;
use clap::{Parser, ValueEnum};
use corpus::{Origins, Sequence};
use network::batch::Standardisation;
use network::config::{Config, Preset, Widths};
use network::proposed::Network;
use nn::params::Params;
use nn::random::Stream;
use std::time::Instant;
use trainer::adamw::{AdamW, Group, Pace, blend};
use trainer::data::{Data, Item};
use trainer::law::{ChannelLaw, TrainChannel};
use trainer::objective::{self, Step, Weights};

const BATCH: usize = 32;
const FRAMES: usize = 50;
const BATCHES: usize = 16;
const WIDTHS: Widths = Widths { text: Some(768), audio: Some(74), visual: Some(35) };
const WEIGHTS: Weights = Weights {
    beta: 1e-3,
    gamma: 1e-3,
    auxiliary: 1.0,
    sign: 1.0,
    antipodal: 0.0,
    negatives: 1,
    realisations: 1,
    one_sided: false,
};
const LAW: ChannelLaw = ChannelLaw { channel: TrainChannel::Rayleigh, snr_db: (-15.0, 21.0), skew: 1.0 };

/// Time one training step of preset `paper`.
#[derive(Parser)]
struct Args {
    /// All clips of 50 frames, or mean 13 as in MOSI
    #[arg(long, value_enum, default_value = "full")]
    lengths: Lengths,
    /// Number of timed steps
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(10..))]
    steps: u64,
    /// Number of steps before the timed ones
    #[arg(long, default_value_t = 30)]
    warm_up: u64,
    /// Micro-batches of a step, each on a thread of its own
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=BATCH as i64))]
    parts: u8,
    /// Flag that `cargo bench` passes; ignored
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Lengths {
    Full,
    Mosi,
}

/// Number of frames of one clip: all [`FRAMES`], or with `Mosi` 4 + Gamma(2, 4.5), at most [`FRAMES`], with mean 13.
fn frames(lengths: Lengths, stream: &mut Stream) -> usize {
    match lengths {
        Lengths::Full => FRAMES,
        Lengths::Mosi => {
            let exponentials = (1.0 - stream.uniform()).ln() + (1.0 - stream.uniform()).ln();
            (4.0 - 4.5 * exponentials).round().clamp(4.0, FRAMES as f64) as usize
        }
    }
}

fn data(lengths: Lengths) -> Data {
    let mut stream = Stream::new(0, &[]);
    let mut item = |row| {
        let frames = frames(lengths, &mut stream);
        let mut features = [None, None, None];
        for (modality, width) in WIDTHS.present() {
            features[modality.index()] = Some(Sequence::new(width, stream.normals(frames * width)));
        }
        Item {
            row,
            features,
            transcript: String::new(),
            tokens: Vec::new(),
            label: stream.uniform() as f32 * 6.0 - 3.0,
        }
    };
    let train: Vec<Item> = (0..BATCH * BATCHES).map(&mut item).collect();
    let mut standardisations = [None, None, None];
    for (modality, width) in WIDTHS.present() {
        let sequences = train.iter().filter_map(|item| item.features[modality.index()].as_ref());
        standardisations[modality.index()] = Some(Standardisation::fit(width, sequences));
    }
    Data { train, held_out: Vec::new(), widths: WIDTHS, standardisations, origins: Origins::default() }
}

/// The gradients of each micro-batch of a step, each on a thread of its own.
fn gradients(network: &Network, data: &Data, items: &[&Item], parts: usize, step: u64) -> Result<Vec<GradStore>> {
    let part = |index: u64, items: &[&Item]| -> Result<GradStore> {
        let batch = data.batch(items)?;
        let labels: Vec<f32> = items.iter().map(|item| item.label).collect();
        let stream = Stream::new(0, &[step, index]);
        let step = Step { batch: &batch, labels: &labels, clips: BATCH, reversal: 0.4, stream };
        let (loss, sums) = objective::objective(network, &WEIGHTS, &LAW, step)?;
        ensure!(sums.task.is_finite(), "the loss is {}", sums.task);
        Ok(loss.backward()?)
    };
    std::thread::scope(|scope| {
        let part = &part;
        let mut chunks = (0u64..).zip(items.chunks(BATCH.div_ceil(parts)));
        let first = chunks.next().expect("a batch has clips");
        let rest: Vec<_> = chunks.map(|(i, items)| scope.spawn(move || part(i, items))).collect();
        let first = part(first.0, first.1);
        let rest = rest.into_iter().map(|handle| handle.join().expect("a part does not panic"));
        std::iter::once(first).chain(rest).collect()
    })
}

/// The q-quantile of times sorted in ascending order, interpolated.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let (low, share) = (position as usize, position.fract());
    let high = sorted[(low + 1).min(sorted.len() - 1)];
    ((sorted[low] + share * (high - sorted[low])) * 1e3).round() / 1e3
}

fn main() -> Result<()> {
    let args = Args::parse();
    nn::single_threaded();
    let parts = args.parts as usize;
    let params = Params::fresh(0);
    let network = Network::new(&params.root(), &Config::preset(Preset::Paper, WIDTHS))?;
    let averages = params.tensors(&[""]).into_iter().map(|(name, t)| Ok((name, t.copy()?)));
    let averages = Params::from_tensors("averages", averages.collect::<Result<_>>()?, true);
    Network::new(&averages.root(), &network.config)?;
    let (variables, averages) = (params.vars(), averages.vars());
    let mut optimiser = AdamW::new(params.vars(), 1.0, |_, _| Group { pace: 0, rate: 1.0, decay: 1e-2 });
    let data = data(args.lengths);

    let (mut times_ms, mut averaging_ms) = (Vec::new(), Vec::new());
    for step in 0..args.warm_up + args.steps {
        let first = step as usize % BATCHES * BATCH;
        let items: Vec<&Item> = data.train[first..first + BATCH].iter().collect();
        let start = Instant::now();
        let gradients = gradients(&network, &data, &items, parts, step)?;
        optimiser.step(&gradients, &[Pace { rate: 1e-3, steps: optimiser.steps() + 1 }])?;
        drop(gradients);
        let stepped = Instant::now();
        for (name, average) in &averages {
            blend(average, &variables[name], 0.98)?;
        }
        if step >= args.warm_up {
            times_ms.push((stepped - start).as_secs_f64() * 1e3);
            averaging_ms.push(stepped.elapsed().as_secs_f64() * 1e3);
        }
    }
    times_ms.sort_by(f64::total_cmp);
    averaging_ms.sort_by(f64::total_cmp);
    let lengths = args.lengths.to_possible_value().expect("no value is skipped");
    let report = serde_json::json!({
        "parts": parts,
        "lengths": lengths.get_name(),
        "steps": args.steps,
        "parameters": variables.values().map(|v| v.elem_count()).sum::<usize>(),
        "simd": format!("{:?}", nn::ops::simd::level()),
        "median_ms": quantile(&times_ms, 0.5),
        "p10": quantile(&times_ms, 0.1),
        "p90": quantile(&times_ms, 0.9),
        "averaging_ms": quantile(&averaging_ms, 0.5),
    });
    println!("{report}");
    Ok(())
}
