//! Counts the different clips among rows: repeats of a clip are not independent samples, so intervals are over clips.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Maximum number of clips that are distinguished under the same conditions. An interval over as many clips is at most
/// ±0.4 points wide.
pub const CLIPS_KEPT: usize = 1 << 16;
/// Maximum number of clips that are distinguished in total: a client may send every clip under a new name and new
/// conditions.
const KEPT: usize = 1 << 21;

/// The identity of a clip: a hash of its identifier and label; `None` for a clip without an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClipKey(Option<u64>);

impl ClipKey {
    /// The key of the clip with this identifier and label. The label is part of it because different corpora may use
    /// the same identifiers.
    pub fn of(clip_id: &str, label: f32) -> Self {
        let mut hasher = DefaultHasher::new();
        (clip_id, (label + 0.0).to_bits()).hash(&mut hasher);
        ClipKey((!clip_id.is_empty()).then(|| hasher.finish()))
    }

    /// The number of different clips among `keys`; each clip without an identifier counts as different.
    pub fn distinct(keys: impl Iterator<Item = ClipKey>) -> u64 {
        let mut seen = HashSet::new();
        keys.filter(|ClipKey(key)| key.is_none_or(|key| seen.insert(key))).count() as u64
    }
}

/// The different clips seen under each of some conditions of type `C`.
#[derive(Debug)]
pub struct Distinct<C> {
    seen: HashMap<C, HashSet<u64>>,
    kept: usize,
}

impl<C> Default for Distinct<C> {
    fn default() -> Self {
        Distinct { seen: HashMap::new(), kept: 0 }
    }
}

impl<C: Eq + Hash> Distinct<C> {
    /// Adds a clip under `conditions`; returns whether it differs from all clips added before under them. A clip
    /// without an identifier always does. Once a limit is reached, no further clip counts as different: the interval is
    /// then wider than it need be, never narrower.
    pub fn add(&mut self, conditions: C, ClipKey(key): ClipKey) -> bool {
        let Some(key) = key else { return true };
        let seen = self.seen.entry(conditions).or_default();
        let new = seen.len() < CLIPS_KEPT && self.kept < KEPT && seen.insert(key);
        self.kept += usize::from(new);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_told_apart_under_each_conditions_and_take_bounded_room() {
        let mut distinct = Distinct::default();
        let clip = ClipKey::of("a", 1.0);
        assert_eq!([0, 0, 1].map(|conditions| distinct.add(conditions, clip)), [true, false, true]);
        assert!(distinct.add(0, ClipKey::of("a", 2.0)) && !distinct.add(0, ClipKey::of("a", 2.0)));
        assert_eq!(ClipKey::of("a", 0.0), ClipKey::of("a", -0.0));
        let unnamed = ClipKey::of("", 1.0);
        assert!(distinct.add(0, unnamed) && distinct.add(0, unnamed));
        let new = (0..CLIPS_KEPT + 10).filter(|clip| distinct.add(2, ClipKey::of(&clip.to_string(), 0.5))).count();
        assert_eq!(new, CLIPS_KEPT);
        assert_eq!(ClipKey::distinct([clip, clip, unnamed, unnamed].into_iter()), 3);
    }
}
