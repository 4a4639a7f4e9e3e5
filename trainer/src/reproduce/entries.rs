//! The schemes of the grid, and what each changes in the base's settings.

use crate::command::overridden;
use crate::config::RunConfig;
use anyhow::{Result, bail, ensure};
use model::scheme_kind::SchemeKind;
use model::tdeepsc::Sizes;

/// A scheme of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name: on the command line, in results and as a folder.
    pub name: &'static str,
    /// Its name in figures and tables.
    pub label: &'static str,
    /// What it is.
    pub scheme: SchemeKind,
    /// Fields of `config.json` and their values.
    set: &'static [&'static str],
    /// Whether its discriminators are drawn.
    pub watches: bool,
}

/// A network and the schemes that stand on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// What is trained.
    pub base: Entry,
    /// What is scored.
    pub entries: Vec<Entry>,
}

const fn entry(
    name: &'static str,
    label: &'static str,
    scheme: SchemeKind,
    set: &'static [&'static str],
    watches: bool,
) -> Entry {
    Entry { name, label, scheme, set, watches }
}

/// T-DeepSC as its authors trained it, as far as the protocol allows: one SNR, zero forcing, 38 reals, squared error, no
/// word of the channel to the receiver, their optimiser.
const PUBLISHED: &[&str] = &[
    "network.head=mse",
    "network.equaliser=zf",
    "network.reals=38",
    "network.t_deepsc.side_information=false",
    "law.snr_db=[12,12]",
    "objective.realisations=1",
    "schedule.learning_rate=3e-5",
    "schedule.end=0.3333333333333333",
    "betas=[0.95,0.99]",
    "weight_decay=1e-4",
    "averaging=0",
];

/// How many times the epochs of the others the small learning rate of [`PUBLISHED`] needs where the text encoder stays as
/// it is.
const PUBLISHED_EPOCHS: f64 = 2.5;

/// All of them, in the order of tables and legends.
pub const ENTRIES: [Entry; 9] = [
    entry("proposed", "proposed", SchemeKind::Proposed, &[], true),
    entry("proposed-l1", "proposed, L1 head", SchemeKind::Proposed, &["network.head=l1"], false),
    entry("proposed-watching", "proposed, no reduction", SchemeKind::Proposed, &["schedule.lambda_red=0"], true),
    entry("t-deepsc", "T-DeepSC, our protocol and head", SchemeKind::TDeepSc, &[], false),
    entry("t-deepsc-mse", "T-DeepSC, our protocol", SchemeKind::TDeepSc, &["network.head=mse"], false),
    entry("t-deepsc-published", "T-DeepSC, as published", SchemeKind::TDeepSc, PUBLISHED, false),
    entry("sign-repetition", "sign, repeated", SchemeKind::SignRepetition, &[], false),
    entry("class-repetition", "class, repeated", SchemeKind::ClassRepetition, &[], false),
    entry("quantised-latent", "quantised, 6 bits", SchemeKind::QuantisedLatent, &[], false),
];

impl Entry {
    /// The settings it is trained with.
    ///
    /// # Errors
    /// If the base has no such field.
    pub fn of(&self, base: &RunConfig) -> Result<RunConfig> {
        let mut config = RunConfig { scheme: self.scheme, ..base.clone() };
        if self.scheme == SchemeKind::TDeepSc {
            config = t_deepsc(config);
        }
        if self.name == "t-deepsc-published" && config.tuning.is_none() {
            config.schedule.epochs = (config.schedule.epochs as f64 * PUBLISHED_EPOCHS) as usize;
        }
        let set: Vec<String> = self.set.iter().map(|field| (*field).to_owned()).collect();
        overridden(&config, &set)
    }

    /// The entry whose network it stands on.
    fn base(&self) -> Entry {
        if self.scheme.decides().is_some() { ENTRIES[0].clone() } else { self.clone() }
    }
}

/// What `--scheme t-deepsc` changes in the settings.
fn t_deepsc(mut config: RunConfig) -> RunConfig {
    let sizes = match config.preset {
        model::config::Preset::Small => Sizes::SMALL,
        model::config::Preset::Paper => Sizes::PUBLISHED,
    };
    config.network.t_deepsc = Some(Sizes { side_information: true, ..sizes });
    config.network.dropout = Sizes::DROPOUT;
    config.objective.realisations = 2;
    config
}

/// The entries of these names, all if there are none, in the grid's order.
///
/// # Errors
/// If there is no such entry.
pub fn chosen(names: &[String]) -> Result<Vec<Entry>> {
    let known = || ENTRIES.map(|entry| entry.name).join(", ");
    if let Some(unknown) = names.iter().find(|name| ENTRIES.iter().all(|entry| entry.name != name.as_str())) {
        bail!("--only: unknown scheme `{unknown}`, expected some of {}", known());
    }
    let wanted = |entry: &Entry| names.is_empty() || names.iter().any(|name| name == entry.name);
    let chosen: Vec<Entry> = ENTRIES.into_iter().filter(wanted).collect();
    ensure!(!chosen.is_empty(), "--only: no scheme, expected some of {}", known());
    Ok(chosen)
}

/// The entry of this name.
///
/// # Errors
/// If there is none.
pub fn named(name: &str) -> Result<Entry> {
    Ok(chosen(&[name.to_owned()])?.remove(0))
}

/// The networks to train, each with the entries that stand on it.
pub fn families(entries: &[Entry]) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for entry in entries {
        let base = entry.base();
        match families.iter_mut().find(|family| family.base == base) {
            Some(family) => family.entries.push(entry.clone()),
            None => families.push(Family { base, entries: vec![entry.clone()] }),
        }
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sends_decisions_stands_on_the_proposed_network() {
        let families = families(&chosen(&[]).unwrap());
        let names: Vec<Vec<&str>> =
            families.iter().map(|family| family.entries.iter().map(|entry| entry.name).collect()).collect();
        assert_eq!(names[0], ["proposed", "sign-repetition", "class-repetition", "quantised-latent"]);
        assert_eq!(names.len(), 6);
        let alone = super::families(&chosen(&["sign-repetition".into()]).unwrap());
        assert_eq!((alone[0].base.name, alone[0].entries.len()), ("proposed", 1));
        assert!(chosen(&["smoke".into()]).unwrap_err().to_string().contains("unknown scheme `smoke`"));
    }
}
