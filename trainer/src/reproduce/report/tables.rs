//! Tables of the report: metrics against SNR, differences in Acc-2, and audits.

use crate::metric::{ACC2, Difference, Level, METRICS, Metric};
use crate::reproduce::audits::AuditCell;
use crate::reproduce::figures::CHANNELS;
use crate::reproduce::html::folded_table;
use crate::reproduce::scheme::{Scheme, find, rivals};
use metrics::Spread;

/// SNRs in dB that the tables show, where they were scored.
const SNRS_DB: [f64; 4] = [-12.0, -6.0, 0.0, 12.0];

/// Mean and standard deviation as text; `-` for `None`.
pub fn text(spread: Option<Spread>) -> String {
    spread.map_or("-".to_owned(), Spread::text)
}

/// The SNRs in dB that the tables show of a channel: those of [`SNRS_DB`] that were scored, or all scored ones if
/// there are none.
pub fn snrs(schemes: &[Scheme], channel: &str) -> Vec<f64> {
    let scored = schemes.first().map_or_else(Vec::new, |scheme| scheme.snrs(channel));
    let wanted: Vec<f64> = scored.iter().copied().filter(|snr| SNRS_DB.contains(snr)).collect();
    if wanted.is_empty() { scored } else { wanted }
}

/// Tables of every metric against SNR, one for each metric and channel.
pub fn sweeps(schemes: &[Scheme]) -> String {
    let each = CHANNELS.iter().flat_map(|channel| METRICS.iter().map(move |metric| (channel, metric)));
    each.map(|((channel, shown), metric)| {
        against_snr(schemes, channel, &format!("{} over {shown}", metric.label), metric)
    })
    .collect()
}

fn against_snr(schemes: &[Scheme], channel: &str, caption: &str, metric: &Metric) -> String {
    let snrs = snrs(schemes, channel);
    let mut header = vec!["scheme".to_owned(), "uses".to_owned(), "noiseless".to_owned()];
    header.extend(snrs.iter().map(|snr| format!("{snr} dB")));
    let row = |scheme: &Scheme| {
        let cell = |channel: &str, snr_db| level_text(scheme.level(channel, snr_db, metric));
        let mut row = vec![scheme.entry.label(), scheme.uses().to_string(), cell("none", None)];
        row.extend(snrs.iter().map(|snr| cell(channel, Some(*snr))));
        row
    };
    folded_table(caption, &header, &schemes.iter().map(row).collect::<Vec<_>>())
}

/// A level as text; `-` for `None`.
pub fn level_text(level: Option<Level>) -> String {
    level.map_or("-".to_owned(), Level::text)
}

/// Tables of the difference in Acc-2 between the proposed scheme and every other, with its 95 % interval, one for each
/// channel.
pub fn differences(schemes: &[Scheme]) -> String {
    let Some(proposed) = find(schemes, "proposed") else { return String::new() };
    let mut out = String::new();
    for (channel, shown) in CHANNELS {
        let snrs = snrs(schemes, channel);
        let mut header = vec!["proposed against".to_owned(), "noiseless".to_owned()];
        header.extend(snrs.iter().map(|snr| format!("{snr} dB")));
        let cell = |scheme: &Scheme, channel: &str, snr_db| {
            proposed.ahead_of(scheme, channel, snr_db, &ACC2).map_or("-".to_owned(), Difference::text)
        };
        let row = |scheme: &Scheme| {
            let mut row = vec![scheme.entry.label(), cell(scheme, "none", None)];
            row.extend(snrs.iter().map(|snr| cell(scheme, channel, Some(*snr))));
            row
        };
        let others: Vec<Vec<String>> =
            rivals(schemes).filter(|scheme| scheme.entry.name != "proposed").map(row).collect();
        let how = match proposed.cells.len() {
            1 => "95 % binomial interval over clips, the two taken as independent",
            _ => "paired by seed, 95 % interval (Student's t)",
        };
        out += &folded_table(&format!("Lead in {} over {shown}, {how}", ACC2.label), &header, &others);
    }
    out
}

/// Tables of the audits over the seeds: J of each pair of modalities, and accuracy of the linear probes. Empty without
/// audits.
pub fn audits(schemes: &[Scheme], audits: &[AuditCell]) -> String {
    let header = ["scheme, pair", "features", "sampled z", "largest null", "standardised μ", "largest null", "floor"];
    let mut rows = Vec::new();
    for scheme in schemes {
        let mine: Vec<&AuditCell> = audits.iter().filter(|audit| audit.entry == scheme.entry.name).collect();
        let pairs = mine.first().map_or(&[][..], |first| &first.audit.pairs);
        for (index, pair) in pairs.iter().enumerate() {
            let all = || mine.iter().map(|cell| &cell.audit.pairs[index]);
            let most =
                |values: &mut dyn Iterator<Item = f64>| format!("{:.3}", values.fold(f64::NEG_INFINITY, f64::max));
            rows.push(vec![
                format!("{}, {}", scheme.entry.label(), pair.pair),
                text(Spread::of(all().map(|pair| Some(pair.features.j.estimate)))),
                text(Spread::of(all().map(|pair| Some(pair.z.j.estimate)))),
                most(&mut all().map(|pair| pair.z.null_max)),
                text(Spread::of(all().map(|pair| Some(pair.mu.j.estimate)))),
                most(&mut all().map(|pair| pair.mu.null_max)),
                text(Spread::of(all().map(|pair| Some(pair.decisions)))),
            ]);
        }
    }
    let mut probes = Vec::new();
    for scheme in schemes {
        let mine: Vec<&AuditCell> = audits.iter().filter(|audit| audit.entry == scheme.entry.name).collect();
        let modalities = mine.first().map_or(&[][..], |first| &first.audit.modalities);
        for (index, modality) in modalities.iter().enumerate() {
            let all = || mine.iter().map(|cell| &cell.audit.modalities[index]);
            probes.push(vec![
                format!("{}, {}", scheme.entry.label(), modality.modality),
                text(Spread::of(all().map(|m| Some(m.features_accuracy)))),
                text(Spread::of(all().map(|m| Some(m.latent_accuracy)))),
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let probed = ["scheme, modality", "mean features", "μ"].map(str::to_owned);
    "<p>J = 2 ln 2 − BCE of fresh discriminators on held-out clips, nats: 0 if two latents are independent, 1.386 \
     at most. The null is of shuffled pairs. The floor is J of the signs that linear probes read off the two latents: what both \
     predict of the label cannot be removed.</p>\n"
        .to_owned()
        + &folded_table("Dependence between the modalities' latents", &header.map(str::to_owned), &rows)
        + &folded_table("Accuracy of a linear probe for the label's sign: no modality may have collapsed", &probed, &probes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paired_interval_is_students() {
        let paired = |values: &[f64]| Difference::of_values(values).map_or("-".to_owned(), Difference::text);
        // Mean 0.02, sd 0.01, n = 3: half = 4.303 · 0.01/√3 = 0.0248.
        assert_eq!(paired(&[0.01, 0.02, 0.03]), "+0.020 [-0.005, +0.045]");
        assert_eq!((paired(&[0.5]), paired(&[])), ("+0.500".into(), "-".into()));
    }
}
