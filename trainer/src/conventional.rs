//! What both halves of the conventional scheme need in addition to the network, fitted on the training clips.

use crate::data::{Data, Item};
use anyhow::{Context, Result};
use metrics::{BestConstant, Prediction};
use schemes::conventional::Coding;
use source_coding::{Codec, Content, Source};

/// The coding of the conventional scheme, fitted on the training clips: ranges of the features, median size of a clip
/// in bytes, and the prediction of the best constant predictor for clips that do not arrive.
///
/// # Errors
/// If this build cannot code pictures, or a clip cannot be coded.
pub fn coding(data: &Data) -> Result<Coding> {
    let source = Source::fit(data.train.iter().map(|item| &item.features), Codec::pictures()?)?;
    let size = |item: &Item| -> Result<usize> { Ok(source.encode(&content(item))?.len()) };
    let mut sizes = data.train.iter().map(size).collect::<Result<Vec<_>>>()?;
    sizes.sort_unstable();
    let middle = *sizes.get(sizes.len() / 2).context("no clip to send")?;
    let labels: Vec<f32> = data.train.iter().map(|item| item.label).collect();
    Ok(Coding { source, middle, lost: best_constant(&labels)? })
}

/// The content of a clip that the conventional scheme transmits: transcript, audio and visual features.
fn content(Item { features: [_, audio, visual], transcript, .. }: &Item) -> Content {
    let transcript = Some(transcript.clone()).filter(|text| !text.trim().is_empty());
    Content { transcript, planes: [None, audio.clone(), visual.clone()], video: None }
}

/// The best constant predictor of these labels, as a prediction whose probabilities are the labels' frequencies.
///
/// # Errors
/// If there are no labels.
pub fn best_constant(labels: &[f32]) -> Result<Prediction> {
    let BestConstant { pos, nonneg, class, score } = BestConstant::fit(labels)?;
    let share = |holds: fn(f32) -> bool| labels.iter().filter(|y| holds(**y)).count() as f32 / labels.len() as f32;
    let (p_neg, p_zero, p_pos) = (share(|y| y < 0.0), share(|y| y == 0.0), share(|y| y > 0.0));
    let mut classes = [0.0; 7];
    for label in labels {
        classes[(metrics::label_class(*label) + 3) as usize] += 1.0 / labels.len() as f32;
    }
    let prediction = Prediction { p_neg, p_zero, p_pos, classes, score };
    // The frequencies lead to the same decisions as the best constant predictor.
    debug_assert!(prediction.is_pos() == pos || p_neg == p_pos);
    debug_assert!(prediction.is_nonneg() == nonneg && prediction.class() == class);
    Ok(prediction)
}
