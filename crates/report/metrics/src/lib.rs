//! Metrics of predictions against labels, their intervals, and the matched-filter reference.
//!
//! Acc-2 and F1 come in two families that the literature mixes up. **nonneg**: all clips, truth y ≥ 0, decision
//! p_zero + p_pos ≥ ½. **pos**: clips with y = 0 dropped, truth y > 0, decision p_pos > p_neg. Both are always reported.

#![forbid(unsafe_code)]

mod binary;
mod calibration;
mod confusion;
mod constant;
mod interval;
mod prediction;
mod record;
mod reference;
mod regression;
mod row;
mod summary;
mod table;
mod uses;

pub use binary::Binary;
pub use calibration::{SIGN_BINS, SignBin, sign_bins, sign_ece};
pub use confusion::confusion;
pub use constant::{BestConstant, ConstantScores, NoLabels};
pub use interval::{
    Interval, Z95, difference_interval, mean_interval, mean_interval_of_repeats, mean_interval_of_sums, mean_sd,
    student_interval, wilson, wilson_of_rate,
};
pub use prediction::{Prediction, label_class};
pub use record::{Context, Record, records};
pub use reference::{Fading, Source, matched_filter};
pub use regression::{mae, pearson};
pub use row::{CSV_HEADER, PredictionRow, write_csv};
pub use summary::{Spread, Summary, summaries, summary_table};
pub use table::table;
pub use uses::ChannelUses;
