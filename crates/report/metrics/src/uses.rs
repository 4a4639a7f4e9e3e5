//! Complex channel uses of the clips of a sweep, counted point by point.

use crate::Record;

/// Counts the complex symbols that clips take at each point of a sweep, for schemes whose clips differ in that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelUses {
    points: Vec<Point>,
}

/// One channel at one SNR.
#[derive(Clone, Debug, PartialEq)]
struct Point {
    channel: String,
    snr_db: Option<f64>,
    symbols: u64,
    clips: u64,
}

impl ChannelUses {
    /// Adds `clips` bursts of `symbols` complex symbols in all, sent over `channel` (`none`, `awgn`, `rayleigh`, `rician:K`) at
    /// `snr_db`, which is `None` for `none`.
    pub fn add(&mut self, channel: &str, snr_db: Option<f64>, symbols: u64, clips: u64) {
        match self.points.iter_mut().find(|point| point.channel == channel && point.snr_db == snr_db) {
            Some(point) => {
                point.symbols += symbols;
                point.clips += clips;
            }
            None => self.points.push(Point { channel: channel.to_owned(), snr_db, symbols, clips }),
        }
    }

    /// Writes the mean over clips and draws into [`Record::channel_uses`] of the records that have none, as far as their point was
    /// counted.
    pub fn fill(&self, records: &mut [Record]) {
        for record in records.iter_mut().filter(|record| record.channel_uses.is_none()) {
            let same = |point: &&Point| point.channel == record.channel && point.snr_db == record.snr_db;
            let point = self.points.iter().find(same).filter(|point| point.clips > 0);
            record.channel_uses = point.map(|point| point.symbols as f64 / point.clips as f64);
        }
    }
}
