//! Cross-validation folds that keep a video whole, so that no speaker is on both sides.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Clip, CorpusError};

/// Cuts `rows` into `n_folds` folds by video and returns (training rows, held-out rows) of fold number `fold`,
/// both ascending.
///
/// Videos are sorted by size and dealt out `n_folds` at a time, each round in an order drawn from `seed`. Since
/// the rounds get smaller, two folds never differ by more clips than the largest video has. The result
/// depends on the videos and the seed alone, not on the order of `rows`.
///
/// # Errors
/// [`CorpusError::Folds`] if there are fewer than two folds, fewer videos than folds, or no such fold.
pub fn folds_by_video(
    rows: &[(usize, &Clip)],
    n_folds: usize,
    fold: usize,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), CorpusError> {
    let mut videos: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, clip) in rows {
        videos.entry(&clip.video_id).or_default().push(*row);
    }
    if n_folds < 2 || n_folds > videos.len() {
        return Err(CorpusError::Folds(format!(
            "expected 2 to {} folds (there are so many videos), got {n_folds}",
            videos.len()
        )));
    }
    if fold >= n_folds {
        return Err(CorpusError::Folds(format!("expected a fold below {n_folds}, got {fold}")));
    }
    let mut videos: Vec<Vec<usize>> = videos.into_values().collect();
    videos.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..n_folds).collect();
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for round in videos.chunks(n_folds) {
        order.shuffle(&mut rng);
        for (rows, owner) in round.iter().zip(&order) {
            if *owner == fold { &mut held_out } else { &mut train }.extend(rows);
        }
    }
    train.sort_unstable();
    held_out.sort_unstable();
    Ok((train, held_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::tests::clip;

    /// 23 videos of 1 to 23 clips.
    fn clips() -> Vec<Clip> {
        (1..=23)
            .flat_map(|video| {
                (0..video).map(move |i| clip(&format!("{video}_{i}"), &format!("v{video}"), "train", 0.0))
            })
            .collect()
    }

    #[test]
    fn folds_partition_the_rows_by_video_and_balance() {
        let clips = clips();
        let rows: Vec<_> = clips.iter().enumerate().collect();
        let mut seen = Vec::new();
        let mut sizes = Vec::new();
        for fold in 0..5 {
            let (train, held_out) = folds_by_video(&rows, 5, fold, 3).unwrap();
            assert_eq!(train.len() + held_out.len(), clips.len());
            for row in &held_out {
                assert!(train.iter().all(|other| clips[*other].video_id != clips[*row].video_id));
            }
            sizes.push(held_out.len());
            seen.extend(held_out);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..clips.len()).collect::<Vec<_>>());
        assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 23, "{sizes:?}");
    }

    #[test]
    fn the_seed_decides_and_the_order_of_rows_does_not() {
        let clips = clips();
        let rows: Vec<_> = clips.iter().enumerate().collect();
        let reversed: Vec<_> = rows.iter().rev().copied().collect();
        let held_out = |rows: &[(usize, &Clip)], seed| folds_by_video(rows, 4, 1, seed).unwrap().1;
        assert_eq!(held_out(&rows, 1), held_out(&reversed, 1));
        assert_ne!(held_out(&rows, 1), held_out(&rows, 2));
    }

    #[test]
    fn impossible_folds_are_refused() {
        let clips = clips();
        let rows: Vec<_> = clips.iter().enumerate().collect();
        for (n_folds, fold, expected) in [(24, 0, "2 to 23 folds"), (1, 0, "2 to 23"), (5, 5, "a fold below 5, got 5")]
        {
            let error = folds_by_video(&rows, n_folds, fold, 0).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
