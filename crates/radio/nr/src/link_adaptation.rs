//! Whether a clip arrives, by measured block error rates, and which MCS to send it with.

use crate::bler::{Table, TableError};
use crate::{Fading, LinkToSystem, Mcs};
use phy::{Conditions, NoiseKey, draw};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Coherence, Link, LinkError};

/// Of MCSs whose delivery is within this of the best, the one with the fewest channel uses is picked.
pub const TOLERANCE: f64 = 0.01;

/// Clips whose fading an expected delivery is the mean over, one h each or many.
const DRAWS: (u64, u64) = (1000, 40);

/// The draws of [`Planner::expected_delivery`], which no run has for a draw.
const PLANNING: u32 = u32::MAX;

/// Delivery by the block error rates of a table.
#[derive(Clone, Debug)]
pub struct Planner {
    map: LinkToSystem,
}

/// How a clip is best sent.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The transport block at the MCS that was picked.
    pub link: Link,
    /// The expected delivery, 0 … 1, over the law of the fading.
    pub delivery: f64,
}

/// A clip that cannot be planned for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlannerError {
    /// The table does not know the MCS at this size.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No MCS takes the clip; why the last does not.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A table without MCSs.
    #[error("the table of block error rates is empty")]
    Empty,
}

impl Planner {
    /// With the table that comes with [`fec`].
    pub fn measured() -> Planner {
        Planner::new(Table::measured())
    }

    /// With this table.
    pub fn new(table: Table) -> Planner {
        Planner { map: LinkToSystem::new(table) }
    }

    /// The probability, 0 … 1, that a clip arrives over the h that [`Link::pass`] draws from `key`: 1 without noise.
    ///
    /// # Errors
    /// If the table has no curve of the link's MCS and base graph.
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

    /// Whether a clip arrives, drawn with [`Planner::delivery`] from `key` alone: what stands for decoding it.
    ///
    /// # Errors
    /// As [`Planner::delivery`].
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

    /// The mean of [`Planner::delivery`] over the law of the fading, from 1000 clips of one h or 40 of many, the same at every
    /// SNR.
    ///
    /// # Errors
    /// As [`Planner::delivery`].
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

    /// How to send a clip of `bytes`: of the table's MCSs that take it, all whose expected delivery is within [`TOLERANCE`] of the
    /// best; of these, the one with the fewest channel uses. The transmitter is told SNR and law of the fading, not h.
    ///
    /// # Errors
    /// If the table is empty or no MCS takes the clip.
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
                // Too short for it, or too short for what was measured of it.
                Err(error) => refused = error,
            }
        }
        let best = plans.iter().map(|plan| plan.delivery).fold(0.0, f64::max);
        let good = plans.into_iter().filter(|plan| plan.delivery >= best - TOLERANCE);
        good.min_by_key(|plan| plan.link.channel_uses()).ok_or(refused)
    }

    /// The MCSs that are picked from, ascending.
    pub fn schemes(&self) -> Vec<Mcs> {
        self.map.table().schemes()
    }
}
