//! Metrics of predictions against labels, their intervals, and the matched-filter reference.

mod prediction;

pub use prediction::Prediction;
