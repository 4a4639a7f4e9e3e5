//! Scores of the network on the held-out clips, over a fixed set of channels.

use crate::chain::Chain;
use crate::data::{Data, Item};
use crate::law::TrainChannel;
use anyhow::Result;
use candle_core::Tensor;
use corpus::Sequence;
use metrics::Prediction;
use network::batch::Batch;
use network::head::{CELLS, MatchedFilter, probabilities};
use nn::ops::{tensor, with_slice};
use phy::{ChannelKind, Conditions, NoiseKey, Realisation, SnrDb, Symbols};

/// SNRs in dB that the held-out clips are sent at.
const SNRS_DB: [f64; 4] = [-12.0, -6.0, 0.0, 9.0];

/// Number of channel draws for every clip at every noisy point.
const DRAWS: u32 = 2;

/// Number of clips packed together.
const BATCH: usize = 64;

/// Seed of the noise keys, one that no evaluation is likely to use.
const SEED: u64 = 0x7661_6c69_6461_7465;

/// Scores on the held-out clips, as means over all channels, with those of the noiseless channel apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Criterion of early stopping, of which less is better: over all channels the mean probability not given to the
    /// label's side of zero, plus a sixth of the MAE. Both are bounded, so that a few confident errors do not hide
    /// that the predictions still improve.
    pub criterion: f64,
    /// Mean decision loss over all channels.
    pub loss: f64,
    /// Acc-2 "pos" over all channels: clips with label 0 dropped.
    pub acc2: f64,
    /// Scores over the noiseless channel.
    pub noiseless: Noiseless,
}

/// Scores of a network over the noiseless channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noiseless {
    /// Mean decision loss over the noiseless channel.
    pub loss: f64,
    /// Acc-2 "pos" over the noiseless channel: clips with label 0 dropped.
    pub acc2: f64,
    /// Acc-7 of the most likely class over the noiseless channel.
    pub acc7: f64,
    /// Mean absolute error of the median over the noiseless channel.
    pub mae: f64,
}

/// A held-out prediction: the output for one clip over one channel realisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    /// Predicted probability of each cell of the score, before calibration.
    pub p: [f64; CELLS],
    /// ρ of the received burst.
    pub rho: f32,
    /// Matched-filter soft decision on the sign, in [−1, 1], see [`MatchedFilter::soft_decision`]; 0 without a matched
    /// filter.
    pub soft_decision: f64,
    /// Label of the clip, in [−3, 3].
    pub label: f32,
}

/// The held-out clips of a run, packed once, and the channels that they are scored over.
pub struct HeldOut {
    batches: Vec<Batch>,
    labels: Vec<f32>,
    rows: Vec<usize>,
    points: Vec<Conditions>,
    sign: f32,
}

impl HeldOut {
    /// Packs the held-out clips of `data`. The points are the noiseless channel and those kinds that `channel` trains
    /// for at a few SNRs; `sign` is the weight of the sign in the decision loss.
    ///
    /// # Errors
    /// If a tensor operation fails.
    pub fn new(data: &Data, channel: TrainChannel, sign: f32) -> Result<Self> {
        let items: Vec<&Item> = data.held_out.iter().collect();
        let batches = items.chunks(BATCH).map(|chunk| data.batch(chunk)).collect::<Result<_>>()?;
        let kinds: &[ChannelKind] = match channel {
            TrainChannel::Mix => &[ChannelKind::Awgn, ChannelKind::Rayleigh],
            TrainChannel::None => &[],
            TrainChannel::Awgn => &[ChannelKind::Awgn],
            TrainChannel::Rayleigh => &[ChannelKind::Rayleigh],
        };
        let mut points = vec![Conditions::new(ChannelKind::None, None, None)?];
        for kind in kinds {
            for snr in SNRS_DB {
                points.push(Conditions::new(*kind, Some(SnrDb::try_from(snr)?), None)?);
            }
        }
        let labels = items.iter().map(|item| item.label).collect();
        Ok(HeldOut { batches, labels, rows: items.iter().map(|item| item.row).collect(), points, sign })
    }

    /// Packs the clips anew with their transcripts as `read` encodes them, for a text encoder that is fine-tuned.
    ///
    /// # Errors
    /// If a transcript cannot be encoded or a tensor operation fails.
    pub fn reread(&mut self, data: &Data, read: impl Fn(&[&Item]) -> Result<Vec<Option<Sequence>>>) -> Result<()> {
        let items: Vec<&Item> = data.held_out.iter().collect();
        let texts = read(&items)?;
        let features = items.iter().zip(&texts).map(|(item, text)| {
            let [_, audio, visual] = item.without([false; 3]);
            [text.as_ref(), audio, visual]
        });
        let features: Vec<_> = features.collect();
        self.batches = features.chunks(BATCH).map(|chunk| data.pack(chunk)).collect::<Result<_>>()?;
        Ok(())
    }

    /// The channel-independent work of the transmitter on all clips: tensors with one row for each clip.
    fn digest(&self, network: &Chain) -> Result<Vec<Tensor>> {
        let digests: Vec<Vec<Tensor>> =
            self.batches.iter().map(|batch| network.digest(batch)).collect::<candle_core::Result<_>>()?;
        let tensors = digests.first().map_or(0, Vec::len);
        let whole = |i: usize| Tensor::cat(&digests.iter().map(|digest| &digest[i]).collect::<Vec<_>>(), 0);
        Ok((0..tensors).map(whole).collect::<candle_core::Result<_>>()?)
    }

    /// The held-out predictions of a network with the distribution head, for all clips and channels, before
    /// calibration, with the soft decisions of `matched_filter`.
    ///
    /// # Errors
    /// If the network does not fit the clips.
    pub fn said(&self, network: &Chain, matched_filter: Option<&MatchedFilter>) -> Result<Vec<Said>> {
        let digest = self.digest(network)?;
        let mut said = Vec::new();
        for point in &self.points {
            for draw in point.draws(0..DRAWS) {
                let (received, rho) = self.receptions(network, &digest, point, draw)?;
                let soft_decision = with_slice(&received, |received| {
                    let bursts = received.chunks_exact(network.config().reals).zip(&rho);
                    bursts
                        .map(|(burst, rho)| matched_filter.map_or(0.0, |m| m.soft_decision(burst, *rho)))
                        .collect::<Vec<_>>()
                })?;
                let clips = rho.iter().zip(&soft_decision).zip(&self.labels);
                let of = |(row, ((rho, soft_decision), label)): (&[f32], ((&f32, &f64), &f32))| Said {
                    p: probabilities(row),
                    rho: *rho,
                    soft_decision: *soft_decision,
                    label: *label,
                };
                let logits = network.head().outputs(&network.latent(&received, &rho)?)?;
                with_slice(&logits, |l| said.extend(l.chunks_exact(CELLS).zip(clips).map(of)))?;
            }
        }
        Ok(said)
    }

    /// The scores of the network as it would be deployed.
    ///
    /// # Errors
    /// If the network does not fit the clips.
    pub fn score(&self, network: &Chain) -> Result<Scores> {
        let digest = self.digest(network)?;
        let mut scores = Scores::default();
        for point in &self.points {
            let (mut loss, mut predictions, mut labels) = (0.0, Vec::new(), Vec::new());
            for draw in point.draws(0..DRAWS) {
                let (l, p) = self.receive(network, &digest, point, draw)?;
                loss += l;
                predictions.extend(p);
                labels.extend_from_slice(&self.labels);
            }
            let n = labels.len() as f64;
            let acc2 = acc2(&predictions, &labels);
            scores.criterion += criterion(&predictions, &labels) / self.points.len() as f64;
            scores.loss += loss / n / self.points.len() as f64;
            scores.acc2 += acc2 / self.points.len() as f64;
            if point.kind() == ChannelKind::None {
                let pairs = predictions.iter().zip(&labels);
                let hits = pairs.clone().filter(|(p, y)| p.class() == metrics::label_class(**y)).count();
                let error: f64 = pairs.map(|(p, y)| (p.score - y).abs() as f64).sum();
                scores.noiseless = Noiseless { loss: loss / n, acc2, acc7: hits as f64 / n, mae: error / n };
            }
        }
        Ok(scores)
    }

    /// The summed decision loss and the predictions of all clips in one channel draw at one point.
    fn receive(
        &self,
        network: &Chain,
        digest: &[Tensor],
        point: &Conditions,
        draw: u32,
    ) -> Result<(f64, Vec<Prediction>)> {
        let (received, rho) = self.receptions(network, digest, point, draw)?;
        let latent = network.latent(&received, &rho)?;
        let losses = network.head().loss(&latent, &self.labels, self.sign)?;
        let loss = with_slice(&losses, |l| l.iter().map(|v| *v as f64).sum())?;
        Ok((loss, network.head().predict(&latent, &rho)?))
    }

    /// The equalised bursts `[clips, reals]` of all clips in one channel draw at one point, and ρ of each.
    fn receptions(
        &self,
        network: &Chain,
        digest: &[Tensor],
        point: &Conditions,
        draw: u32,
    ) -> Result<(Tensor, Vec<f32>)> {
        let (reals, equaliser) = (network.config().reals, network.config().equaliser);
        let realisation = |row: &usize| {
            let key = NoiseKey { seed: SEED, draw, row: *row as u64 };
            phy::draw(key, point, reals / 2)
        };
        let met: Vec<Realisation> = self.rows.iter().map(realisation).collect();
        let rho: Vec<f32> = met.iter().map(Realisation::rho).collect();
        let bursts = with_slice(&network.send(digest, &rho)?, <[f32]>::to_vec)?;
        let mut data = Vec::with_capacity(bursts.len());
        for (burst, met) in bursts.chunks_exact(reals).zip(&met) {
            let received = met.apply(&Symbols::new(burst.to_vec())?);
            data.extend(phy::equalise(received.symbols.reals(), received.h, received.n0, equaliser)?.reals);
        }
        Ok((tensor(data, (rho.len(), reals))?, rho))
    }
}

fn criterion(predictions: &[Prediction], labels: &[f32]) -> f64 {
    let signed = predictions.iter().zip(labels).filter(|(_, y)| **y != 0.0);
    let wrong = signed.clone().map(|(p, y)| f64::from(1.0 - if *y > 0.0 { p.p_pos } else { p.p_neg }));
    let error = predictions.iter().zip(labels).map(|(p, y)| f64::from((p.score - y).abs()));
    wrong.sum::<f64>() / signed.count().max(1) as f64 + error.sum::<f64>() / labels.len().max(1) as f64 / 6.0
}

fn acc2(predictions: &[Prediction], labels: &[f32]) -> f64 {
    let counted = predictions.iter().zip(labels).filter(|(_, y)| **y != 0.0);
    let (mut right, mut all) = (0usize, 0usize);
    for (prediction, label) in counted {
        all += 1;
        right += usize::from(prediction.is_pos() == (*label > 0.0));
    }
    right as f64 / all.max(1) as f64
}
