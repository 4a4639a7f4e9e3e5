//! Scores of the conventional scheme: features as H.264 pictures, transcripts as compressed text, CRC, 5G NR LDPC and
//! QAM, then the task network on the decoded clip. The prediction for a clip that does not arrive is that of the best
//! constant predictor.
//!
//! Whether a clip arrives is drawn from block error rates that were measured with the link-level chain (link-to-system
//! mapping).

use super::cell::Traffic;
use crate::conventional::best_constant;
use crate::evaluate::{Evaluation, Subject, Sweep};
use anyhow::{Context as _, Result};
use corpus::{Clip, Corpus};
use metrics::{Context, Prediction, PredictionRow};
use nr::{Coherence, Link, Planner};
use phy::{ChannelSpec, Conditions, NoiseKey, SnrDb};
use source_coding::{Codec, Content, Source};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// Scores the conventional scheme with the task network of `subject`. Returns the evaluation, and how the clips were
/// transported at each point.
///
/// # Errors
/// If a clip cannot be coded, or the network does not accept the decoded clip.
pub fn score(
    subject: &Subject,
    sweep: &Sweep,
    coherence: Coherence,
    threads: Option<NonZeroUsize>,
) -> Result<(Evaluation, Vec<Traffic>)> {
    let clips = sweep.corpus.split(sweep.split)?;
    let train = sweep.corpus.split("train")?;
    let source = Source::fit(train.iter().map(|(_, clip)| &clip.features), Codec::pictures()?)?;
    let (sizes, decoded) = decoded(sweep.corpus, &clips, &source)?;
    let quiet = Sweep { corpus: &decoded, points: &[Conditions::None], draws: 1, ..*sweep };
    let noiseless = subject.score(&quiet, &[], threads)?;
    let answers: BTreeMap<u64, Prediction> = noiseless.rows.iter().map(|row| (row.row, row.prediction)).collect();
    let lost = best_constant(&train.iter().map(|(_, clip)| clip.label).collect::<Vec<_>>())?;
    let planner = Planner::measured();
    let (mut rows, mut traffic) = (Vec::new(), Vec::new());
    for conditions in sweep.points {
        let links = links(&planner, &sizes, conditions, coherence)?;
        let draws = conditions.draws(0..sweep.draws);
        let (mut arrived, all) = (0u64, (draws.len() * clips.len()) as f64);
        for draw in draws {
            for ((row, clip), link) in clips.iter().zip(&links) {
                let row = *row as u64;
                let there = planner.arrives(link, conditions, coherence, NoiseKey { seed: sweep.seed, draw, row })?;
                arrived += u64::from(there);
                let answer = answers.get(&row).filter(|_| there);
                rows.push(PredictionRow {
                    id: clip.id.clone(),
                    row,
                    draw,
                    channel: ChannelSpec::from(conditions).to_string(),
                    snr_db: conditions.snr_db().map(SnrDb::db),
                    label: clip.label,
                    prediction: *answer.unwrap_or(&lost),
                    h_re: 1.0,
                    h_im: 0.0,
                });
            }
        }
        let uses: usize = links.iter().map(Link::channel_uses).sum();
        traffic.push(Traffic {
            channel: ChannelSpec::from(conditions).to_string(),
            snr_db: conditions.snr_db().map(SnrDb::db),
            mcs: links.first().map_or(String::new(), |link| link.mcs().to_string()),
            uses: uses as f64 / links.len().max(1) as f64,
            arrived: arrived as f64 / all.max(1.0),
        });
    }
    let record = noiseless.records.first().context("no clip to score")?;
    let context = Context {
        scheme: record.scheme.clone(),
        corpus: record.corpus.clone(),
        split: record.split.clone(),
        equaliser: record.equaliser.clone(),
        training_snr_db: None,
        symbols: 0,
        model_id: record.model_id.clone(),
        seed: sweep.seed,
        training_seed: record.training_seed,
    };
    // No matched-filter reference: that is of 25 symbols, and this scheme spends many times as many.
    let mut records = metrics::records(&rows, &context, Some(&[]));
    for record in &mut records {
        let point = traffic.iter().find(|point| (&point.channel, point.snr_db) == (&record.channel, record.snr_db));
        record.channel_uses = point.map(|point| point.uses);
    }
    Ok((Evaluation { records, rows }, traffic))
}

/// The encoded size of each clip in bytes, and the corpus as the receiver has it when all clips arrive: the decoded
/// clips of the split, and empty clips elsewhere.
fn decoded(corpus: &Corpus, clips: &[(usize, &Clip)], source: &Source) -> Result<(Vec<usize>, Corpus)> {
    let nothing = |clip: &Clip| Clip { features: [None, None, None], text: String::new(), ..clip.clone() };
    let mut all: Vec<Clip> = corpus.clips.iter().map(nothing).collect();
    let mut sizes = Vec::with_capacity(clips.len());
    for (row, clip) in clips {
        let coded = || -> Result<(usize, Content)> {
            let bytes = source.encode(&Content::of_clip(clip))?;
            Ok((bytes.len(), source.decode(&bytes)?))
        };
        let (size, Content { transcript, planes, .. }) = coded().with_context(|| format!("clip `{}`", clip.id))?;
        sizes.push(size);
        all[*row].features = planes;
        all[*row].text = transcript.unwrap_or_default();
    }
    let (name, origins) = (corpus.name.clone(), corpus.origins.clone());
    Ok((sizes, Corpus { name, clips: all, widths: corpus.widths, replaced: corpus.replaced, origins }))
}

/// The NR chain of each clip at one point: with the MCS that link adaptation selects for a clip of median size, or,
/// for a clip too short for that MCS, with the one it selects for the clip itself.
fn links(planner: &Planner, sizes: &[usize], conditions: &Conditions, coherence: Coherence) -> Result<Vec<Link>> {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    let middle = *sorted.get(sorted.len() / 2).context("no clip to send")?;
    let mcs = planner.plan(middle, conditions, coherence)?.link.mcs();
    let own = |bytes: usize| -> Result<Link> {
        match Link::new(bytes, mcs) {
            Ok(link) => Ok(link),
            Err(_) => Ok(planner.plan(bytes, conditions, coherence)?.link),
        }
    };
    sizes.iter().map(|bytes| own(*bytes)).collect()
}
