//! The grid of an ablation: the settings that each variation changes.

use crate::command::overridden;
use crate::config::RunConfig;
use anyhow::{Result, bail};

/// A variation of the ablation: one change to the settings, or none for the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variation {
    /// Name of the variation: on the command line, in the table and as a folder.
    pub name: &'static str,
    /// Description of the change, for the table's notes.
    pub about: &'static str,
    /// Settings that the variation changes, as `FIELD=VALUE` with fields of `config.json`.
    set: &'static [&'static str],
}

/// The variation without a change, which all others are compared with.
pub const BASE: Variation = Variation { name: "base", about: "The settings as they are", set: &[] };

/// All variations of the ablation, in the order of the table.
pub const GRID: [Variation; 20] = [
    BASE,
    variation("no-uvib-kl", "U-VIB without its divergence (β = 0)", &["objective.beta=0"]),
    variation("no-mvib-kl", "M-VIB without its divergence (γ = 0)", &["objective.gamma=0"]),
    variation("no-reduction", "No redundancy reduction: the discriminators watch", &["schedule.lambda_red=0"]),
    variation(
        "one-sided",
        "Gradient reversed for one latent of a pair only, as eq. (40) to (42) print it",
        &["objective.one_sided=true"],
    ),
    variation("no-auxiliary", "No auxiliary heads", &["objective.auxiliary=0"]),
    variation("no-antipodal", "Without the antipodal term", &["objective.antipodal=0"]),
    variation("l1-head", "The paper's L1 regressor as head", &["network.head=l1"]),
    variation("zf", "Zero forcing instead of MMSE", &["network.equaliser=zf"]),
    variation("paper-range", "Trained at 0 to 21 dB", &["law.snr_db=[0,21]"]),
    variation("uniform-snr", "SNRs uniform over the range, not leaning to its low end", &["law.skew=1"]),
    variation(
        "modality-dropout",
        "A clip loses each modality with probability 0.2 in a step",
        &["modality_dropout=0.2"],
    ),
    variation("reals-10", "10 transmitted reals", &["network.reals=10"]),
    variation("reals-20", "20 transmitted reals", &["network.reals=20"]),
    variation("reals-30", "30 transmitted reals", &["network.reals=30"]),
    variation("reals-40", "40 transmitted reals", &["network.reals=40"]),
    variation("reals-50", "50 transmitted reals", &["network.reals=50"]),
    variation("reals-60", "60 transmitted reals", &["network.reals=60"]),
    variation("reals-70", "70 transmitted reals", &["network.reals=70"]),
    variation("reals-80", "80 transmitted reals", &["network.reals=80"]),
];

const fn variation(name: &'static str, about: &'static str, set: &'static [&'static str]) -> Variation {
    Variation { name, about, set }
}

impl Variation {
    /// The settings with the variation's change made.
    ///
    /// # Errors
    /// If the settings lack the field that is changed.
    pub fn of(&self, config: &RunConfig) -> Result<RunConfig> {
        let set: Vec<String> = self.set.iter().map(|field| (*field).to_owned()).collect();
        overridden(config, &set)
    }

    /// Settings that the variation changes, as `FIELD=VALUE`.
    pub fn set(&self) -> &'static [&'static str] {
        self.set
    }
}

/// The base, followed by the variations with these names, or by all if there are no names. Variations that change
/// nothing in these settings are left out.
///
/// # Errors
/// If a name is unknown.
pub fn chosen(names: &[String], config: &RunConfig) -> Result<Vec<Variation>> {
    if let Some(unknown) = names.iter().find(|name| GRID.iter().all(|v| v.name != name.as_str())) {
        bail!("unknown variation `{unknown}`, expected one of {}", GRID.map(|v| v.name).join(", "));
    }
    let mut chosen = vec![BASE];
    for variation in &GRID[1..] {
        let named = names.is_empty() || names.iter().any(|name| name == variation.name);
        if named && variation.of(config)? != *config {
            chosen.push(variation.clone());
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::TrainOptions;
    use crate::material::Material;
    use corpus::CorpusSpec;

    #[test]
    fn every_variation_changes_something_that_makes_sense() {
        let material = Material::load(&CorpusSpec::BUILTIN, None).unwrap();
        let config = TrainOptions::default().resolved(&CorpusSpec::BUILTIN, material.corpus(), 0).unwrap();
        let config = material.settled(config);
        let all = chosen(&[], &config).unwrap();
        let same: Vec<_> = GRID.iter().filter(|v| !all.contains(v)).map(|v| v.name).collect();
        assert_eq!(same, ["reals-50"], "the default");
        for variation in &all {
            variation.of(&config).unwrap().check().unwrap();
        }
        let few = chosen(&["zf".into(), "base".into()], &config).unwrap();
        assert_eq!(few.iter().map(|v| v.name).collect::<Vec<_>>(), ["base", "zf"]);
        assert!(chosen(&["zz".into()], &config).unwrap_err().to_string().contains("unknown variation `zz`"));
    }
}
