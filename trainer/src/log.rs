//! Columns and rows of `metrics.csv`, one row for each epoch.

use crate::objective::Sums;
use crate::validation::Scores;
use corpus::Modality;
use network::discriminator::{PAIRS, pair_name};

/// The header of `metrics.csv`, without a line end.
pub fn header() -> String {
    let mut columns: Vec<String> =
        ["epoch", "rate", "reversal", "task", "kl_mvib_nats"].into_iter().map(String::from).collect();
    for modality in Modality::ALL {
        columns.push(format!("auxiliary_{}", modality.name()));
        columns.push(format!("kl_{}_nats", modality.name()));
    }
    for pair in PAIRS {
        let name = pair_name(pair);
        columns.extend([format!("bce_{name}"), format!("joint_{name}"), format!("shuffled_{name}")]);
    }
    let validation = ["criterion", "loss", "acc2_pos", "loss_none", "acc2_pos_none", "acc7_none", "mae_none"];
    columns.extend(validation.into_iter().map(|name| format!("valid_{name}")));
    columns.push("seconds".into());
    columns.join(",")
}

/// A row of `metrics.csv`, without a line end: means over the epoch's clips, empty where the network lacks a modality
/// or a pair.
pub fn row(epoch: usize, rate: f32, reversal: f32, sums: &Sums, scores: &Scores, seconds: f64) -> String {
    let mean = |sum: f64, n: f64| if n > 0.0 { format!("{:.6}", sum / n) } else { String::new() };
    let mut cells = vec![epoch.to_string(), format!("{rate:.6}"), format!("{reversal:.4}")];
    cells.extend([mean(sums.task, sums.clips), mean(sums.kl, sums.clips)]);
    for i in 0..3 {
        cells.push(mean(sums.auxiliary[i], sums.modality_clips[i]));
        cells.push(mean(sums.modality_kl[i], sums.modality_clips[i]));
    }
    for i in 0..3 {
        let n = sums.pair_clips[i];
        cells.extend([mean(sums.bce[i], n), mean(sums.joint[i], n), mean(sums.shuffled[i], n)]);
    }
    let clean = &scores.noiseless;
    for value in [scores.criterion, scores.loss, scores.acc2, clean.loss, clean.acc2, clean.acc7, clean.mae] {
        cells.push(format!("{value:.6}"));
    }
    cells.push(format!("{seconds:.2}"));
    cells.join(",")
}
