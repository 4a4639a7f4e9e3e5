//! Link adaptation: the success probability of a clip by measured block error rates, and the MCS to send it with.

use crate::bler::{Table, TableError};
use crate::{Fading, LinkToSystem, Mcs};
use phy::{Conditions, NoiseKey, draw};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Coherence, Link, LinkError};

/// The tolerance of link adaptation: of the MCSs whose expected success probability is at most this much below the
/// best, the one with the fewest channel uses is selected.
pub const TOLERANCE: f64 = 0.01;

/// The numbers of fading draws over which an expected success probability is averaged: for clips with one h, and for
/// clips with a new h every few symbols.
const DRAWS: (u64, u64) = (1000, 40);

/// The draw number in the noise keys of [`Planner::expected_delivery`], which no run uses.
const PLANNING: u32 = u32::MAX;

/// Link adaptation: success probabilities (1 − BLER) of clips from a table of block error rates, and the selection of
/// an MCS by them.
#[derive(Clone, Debug)]
pub struct Planner {
    map: LinkToSystem,
}

/// The result of link adaptation for clips of one size.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The NR chain at the selected MCS.
    pub link: Link,
    /// The success probability at the selected MCS, 0 … 1, in expectation over the fading distribution.
    pub delivery: f64,
}

/// Why link adaptation finds no MCS for a clip. If every MCS of the table fails, it is the error of the last one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlannerError {
    /// The table has no block error rates for the MCS in the base graph of the clip.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The NR chain at the MCS is not possible for the size of the clip.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The table of block error rates has no curves.
    #[error("the table of block error rates is empty")]
    Empty,
}

impl Planner {
    /// Link adaptation with the measured table of this crate, [`Table::measured`].
    pub fn measured() -> Planner {
        Planner::new(Table::measured())
    }

    /// Link adaptation with the block error rates of `table`; its MCSs are the MCS set.
    pub fn new(table: Table) -> Planner {
        Planner { map: LinkToSystem::new(table) }
    }

    /// The success probability, 0 … 1, of a clip over the channel coefficients that [`Link::pass`] draws from `key`; 1
    /// for the noiseless channel.
    ///
    /// # Errors
    /// If the table has no curve of the MCS and base graph of `link`.
    pub fn delivery(
        &self,
        link: &Link,
        conditions: &Conditions,
        coherence: Coherence,
        key: NoiseKey,
    ) -> Result<f64, TableError> {
        let Some(snr) = conditions.snr_db() else { return Ok(1.0) };
        let symbols_per_block = coherence.length(link.channel_uses());
        let bursts = match conditions {
            Conditions::Awgn(_) => 1,
            _ => link.channel_uses().div_ceil(symbols_per_block),
        };
        let h = |burst| draw(coherence.key(key, burst), conditions, 0).h;
        let gammas: Vec<f64> = (0..bursts).map(|burst| h(burst).norm_sqr() * snr.linear()).collect();
        self.map.delivery(link.transport(), link.mcs(), Fading { gammas: &gammas, symbols_per_block })
    }

    /// Draws whether a clip arrives, with the probability [`Planner::delivery`] and from `key` alone. It replaces the
    /// simulation of coding and noise.
    ///
    /// # Errors
    /// If the table has no curve of the MCS and base graph of `link`.
    pub fn arrives(
        &self,
        link: &Link,
        conditions: &Conditions,
        coherence: Coherence,
        key: NoiseKey,
    ) -> Result<bool, TableError> {
        let delivery = self.delivery(link, conditions, coherence, key)?;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&key.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&key.row.to_le_bytes());
        seed[16..20].copy_from_slice(&key.draw.to_le_bytes());
        seed[20..].copy_from_slice(b"conventional");
        Ok(ChaCha8Rng::from_seed(seed).random::<f64>() < delivery)
    }

    /// The success probability of a clip, 0 … 1, in expectation over the fading distribution. It is the mean of
    /// [`Planner::delivery`] over 1000 fading draws with one h per clip, or over 40 with several h per clip; the draws
    /// are the same at every SNR.
    ///
    /// # Errors
    /// If the table has no curve of the MCS and base graph of `link`.
    pub fn expected_delivery(
        &self,
        link: &Link,
        conditions: &Conditions,
        coherence: Coherence,
    ) -> Result<f64, TableError> {
        let clips = match (conditions, coherence) {
            (Conditions::None | Conditions::Awgn(_), _) => 1,
            (_, Coherence::Whole) => DRAWS.0,
            (_, Coherence::Symbols(_)) => DRAWS.1,
        };
        let of = |row| self.delivery(link, conditions, coherence, NoiseKey { seed: 0, draw: PLANNING, row });
        Ok((0..clips).map(of).sum::<Result<f64, _>>()? / clips as f64)
    }

    /// Selects the MCS for a clip of `bytes` bytes. Candidates are the MCSs of the table that are possible for this
    /// size and whose expected success probability is within [`TOLERANCE`] of the best; the one with the fewest channel
    /// uses is selected. The selection uses the SNR and the fading distribution, but not h.
    ///
    /// # Errors
    /// If the table is empty, or no MCS of it is possible for this size.
    pub fn plan(&self, bytes: usize, conditions: &Conditions, coherence: Coherence) -> Result<Plan, PlannerError> {
        let (mut plans, mut refused) = (Vec::new(), PlannerError::Empty);
        for mcs in self.schemes() {
            let plan = || -> Result<Plan, PlannerError> {
                let link = Link::new(bytes, mcs)?;
                let delivery = self.expected_delivery(&link, conditions, coherence)?;
                Ok(Plan { link, delivery })
            };
            match plan() {
                Ok(plan) => plans.push(plan),
                // The clip is too short for this MCS, or the table has no curve of its base graph.
                Err(error) => refused = error,
            }
        }
        let best = plans.iter().map(|plan| plan.delivery).fold(0.0, f64::max);
        let good = plans.into_iter().filter(|plan| plan.delivery >= best - TOLERANCE);
        good.min_by_key(|plan| plan.link.channel_uses()).ok_or(refused)
    }

    /// The MCS set of link adaptation, the MCSs of the table, ascending.
    pub fn schemes(&self) -> Vec<Mcs> {
        self.map.table().schemes()
    }
}
