//! How many different clips stand behind a count: repeats of a clip are no independent samples.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Most clips that are told apart under the same conditions. A band over as many is ±0.4 points wide at most.
pub const CLIPS_KEPT: usize = 1 << 16;
/// Most clips that are told apart in all: a client may name every clip anew under conditions of its own.
const KEPT: usize = 1 << 21;

/// One clip, told from others by its identifier and label; `None` of a clip without an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClipKey(Option<u64>);

impl ClipKey {
    /// Of a clip. Corpora may name different clips alike; mostly their labels differ then.
    pub fn of(clip_id: &str, label: f32) -> Self {
        let mut hasher = DefaultHasher::new();
        (clip_id, (label + 0.0).to_bits()).hash(&mut hasher);
        ClipKey((!clip_id.is_empty()).then(|| hasher.finish()))
    }

    /// How many different clips these are.
    pub fn distinct(keys: impl Iterator<Item = ClipKey>) -> u64 {
        let mut seen = HashSet::new();
        keys.filter(|ClipKey(key)| key.is_none_or(|key| seen.insert(key))).count() as u64
    }
}

/// The clips seen under each of some conditions `C`.
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
    /// Whether a clip is another than all seen before under these conditions. One without an identifier always is. Where too
    /// many are kept, none is any more: a band that is too wide promises nothing.
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
