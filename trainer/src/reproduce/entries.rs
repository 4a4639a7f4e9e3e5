//! The entries of the grid: the schemes, each with the settings in which it differs from the base.

use crate::command::overridden;
use crate::config::RunConfig;
use crate::scheme_name;
use anyhow::{Result, bail, ensure};
use network::tdeepsc::Sizes;
use schemes::scheme_kind::SchemeKind;
use source_coding::Codec;

/// An entry of the grid: a scheme and the settings in which its training differs from the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name of the entry: on the command line, in results and as a folder.
    pub name: &'static str,
    /// The scheme that the entry's weights are of.
    pub scheme: SchemeKind,
    /// The settings that differ from the base, as `FIELD=VALUE` with fields of `config.json`.
    set: &'static [&'static str],
    /// Whether the report draws the discriminators of its training and audits its latents.
    pub watches: bool,
    /// Purpose of the entry in the grid.
    pub role: Role,
}

/// Purpose of an entry in the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The scheme is compared with the other schemes.
    Scheme,
    /// The proposed scheme with another number of real channel dimensions, for Table I.
    Dimension,
    /// The conventional scheme, which codes source and channel separately and is compared with the other schemes. It
    /// needs a build with the feature `video`.
    Conventional {
        /// Whether the fading coefficient h changes every 25 symbols; else each clip has one h.
        diverse: bool,
    },
}

/// A network and the entries that use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The entry whose network is trained.
    pub base: Entry,
    /// The entries that are scored with that network.
    pub entries: Vec<Entry>,
}

const fn entry(name: &'static str, scheme: SchemeKind, set: &'static [&'static str], watches: bool) -> Entry {
    Entry { name, scheme, set, watches, role: Role::Scheme }
}

const fn dimension(name: &'static str, set: &'static [&'static str]) -> Entry {
    Entry { name, scheme: SchemeKind::Proposed, set, watches: false, role: Role::Dimension }
}

const fn conventional(name: &'static str, diverse: bool) -> Entry {
    let role = Role::Conventional { diverse };
    Entry { name, scheme: SchemeKind::Proposed, set: &[], watches: false, role }
}

/// Settings of T-DeepSC as its authors trained it, as far as the protocol allows: one SNR (12 dB), zero forcing, 38
/// real channel dimensions, squared error, no side information about ρ in the receiver, and their optimiser.
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

/// Factor on the number of epochs of `t-deepsc-published`. The small learning rate of [`PUBLISHED`] needs more epochs
/// than the other entries where the text encoder is frozen.
const PUBLISHED_EPOCHS: f64 = 2.5;

/// The entries of the grid except those of Table I, in the order of tables and legends.
pub const ENTRIES: [Entry; 11] = [
    entry("proposed", SchemeKind::Proposed, &[], true),
    entry("proposed-l1", SchemeKind::Proposed, &["network.head=l1"], false),
    entry("proposed-watching", SchemeKind::Proposed, &["schedule.lambda_red=0"], true),
    entry("t-deepsc", SchemeKind::TDeepSc, &[], false),
    entry("t-deepsc-mse", SchemeKind::TDeepSc, &["network.head=mse"], false),
    entry("t-deepsc-published", SchemeKind::TDeepSc, PUBLISHED, false),
    entry("sign-repetition", SchemeKind::SignRepetition, &[], false),
    entry("class-repetition", SchemeKind::ClassRepetition, &[], false),
    entry("quantised-latent", SchemeKind::QuantisedLatent, &[], false),
    conventional("conventional", false),
    conventional("conventional-diverse", true),
];

/// Numbers of real channel dimensions in Table I; the entry `proposed` has 50.
pub const REALS: [usize; 8] = [10, 20, 30, 40, 50, 60, 70, 80];

/// The entries of Table I other than `proposed`.
const DIMENSIONS: [Entry; 7] = [
    dimension("reals-10", &["network.reals=10"]),
    dimension("reals-20", &["network.reals=20"]),
    dimension("reals-30", &["network.reals=30"]),
    dimension("reals-40", &["network.reals=40"]),
    dimension("reals-60", &["network.reals=60"]),
    dimension("reals-70", &["network.reals=70"]),
    dimension("reals-80", &["network.reals=80"]),
];

/// Names of the entries in [`DIMENSIONS`] that `--quick` trains.
const QUICK: [&str; 3] = ["reals-10", "reals-20", "reals-80"];

fn all() -> impl Iterator<Item = Entry> {
    ENTRIES.into_iter().chain(DIMENSIONS)
}

impl Entry {
    /// The settings that the entry is trained with, derived from those of the base.
    ///
    /// # Errors
    /// If the base settings lack a field that the entry sets.
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

    /// Name of the entry in figures and tables.
    pub fn label(&self) -> String {
        scheme_name::label(self.name)
    }

    /// Whether the entry uses the network of `proposed` and differs from it only in what is transmitted.
    pub fn shares_network(&self) -> bool {
        self.name != "proposed" && self.base().name == "proposed"
    }

    /// Whether the report draws the entry's transmitted bursts.
    pub fn is_scattered(&self) -> bool {
        ["proposed", "t-deepsc-published"].contains(&self.name)
    }

    /// The entry whose network this entry uses: `proposed` for the conventional scheme and for those that transmit
    /// decisions, else the entry itself.
    fn base(&self) -> Entry {
        let derived = self.scheme.decides().is_some() || matches!(self.role, Role::Conventional { .. });
        if derived { ENTRIES[0].clone() } else { self.clone() }
    }
}

/// The settings with the changes that `--scheme t-deepsc` makes to them.
fn t_deepsc(mut config: RunConfig) -> RunConfig {
    let sizes = match config.preset {
        network::config::Preset::Small => Sizes::SMALL,
        network::config::Preset::Paper => Sizes::PUBLISHED,
    };
    config.network.t_deepsc = Some(Sizes { side_information: true, ..sizes });
    config.network.dropout = network::tdeepsc::DROPOUT;
    config.objective.realisations = 2;
    config
}

/// The entries with these names, in the order of the grid. Without names: all entries that this build supports, with
/// `quick` only some of Table I.
///
/// # Errors
/// If a name is unknown.
pub fn chosen(names: &[String], quick: bool) -> Result<Vec<Entry>> {
    let known = || all().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = names.iter().find(|name| all().all(|entry| entry.name != name.as_str())) {
        bail!("--only: unknown scheme `{unknown}`, expected some of {}", known());
    }
    let usual = |entry: &Entry| match entry.role {
        Role::Scheme => true,
        Role::Dimension => !quick || QUICK.contains(&entry.name),
        Role::Conventional { .. } => Codec::pictures().is_ok(),
    };
    let wanted =
        |entry: &Entry| if names.is_empty() { usual(entry) } else { names.iter().any(|name| name == entry.name) };
    let chosen: Vec<Entry> = all().filter(wanted).collect();
    ensure!(!chosen.is_empty(), "--only: no scheme, expected some of {}", known());
    Ok(chosen)
}

/// The entry of this name.
///
/// # Errors
/// If there is no entry of this name.
pub fn named(name: &str) -> Result<Entry> {
    Ok(chosen(&[name.to_owned()], false)?.remove(0))
}

/// The networks to train for these entries, each with the entries that use it.
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
        let families = families(&chosen(&[], false).unwrap());
        let names: Vec<Vec<&str>> =
            families.iter().map(|family| family.entries.iter().map(|entry| entry.name).collect()).collect();
        assert_eq!(names[0][..4], ["proposed", "sign-repetition", "class-repetition", "quantised-latent"]);
        assert_eq!(names[0].len(), if Codec::pictures().is_ok() { 6 } else { 4 });
        assert_eq!(names.len(), 6 + DIMENSIONS.len());
        let alone = super::families(&chosen(&["sign-repetition".into()], true).unwrap());
        assert_eq!((alone[0].base.name, alone[0].entries.len()), ("proposed", 1));
        assert!(chosen(&["smoke".into()], true).unwrap_err().to_string().contains("unknown scheme `smoke`"));
    }

    #[test]
    fn every_dimension_of_the_table_is_trained_once() {
        let mut reals = vec![50];
        for entry in &DIMENSIONS {
            let [set] = entry.set else { panic!("{}: one field", entry.name) };
            reals.push(set.strip_prefix("network.reals=").unwrap().parse().unwrap());
            assert_eq!(entry.name, format!("reals-{}", reals[reals.len() - 1]));
        }
        reals.sort();
        assert_eq!(reals, REALS);
        let pictures = if Codec::pictures().is_ok() { 0 } else { 2 };
        assert_eq!(chosen(&[], true).unwrap().len(), ENTRIES.len() - pictures + QUICK.len());
    }
}
