//! The plan of a run: every clip at every point and draw, with its sequence number.

use corpus::{Clip, Modality, Sequence};
use phy::{Conditions, NoiseKey};
use proto::v1;
use proto::v1::content::Kind;
use std::ops::Range;
use std::sync::Arc;
use uuid::Uuid;
use wire::Delivery;
use wire::convert::{conditions_to_wire, noise_key_to_wire};

/// All clips at one point of a sweep, in every draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pass {
    /// The pinned channel conditions; `None` for the emulator's live conditions.
    pub conditions: Option<Conditions>,
    /// The numbers of the draws.
    pub draws: Range<u32>,
}

/// One delivery of a plan: a clip at a point and draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    /// Index of the pass in the plan.
    pub pass: usize,
    /// Number of the channel draw.
    pub draw: u32,
    /// Index of the clip in the plan.
    pub clip: usize,
}

/// A clip to send, and the row number that its noise key uses.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// The message without delivery key, noise key and pinned conditions, which depend on the shot.
    pub message: v1::Clip,
    /// The row number of the clip in its corpus or input, from 0.
    pub row: u64,
    /// The file and line that the clip was read from; empty for a clip of a corpus.
    pub place: String,
}

/// The position of a plan's deliveries in their run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The run identifier.
    pub run: Uuid,
    /// The first sequence number of the plan.
    pub first: u64,
}

impl Part {
    /// The start of a new run: a random run identifier and sequence number 0.
    pub fn begin() -> Part {
        Part { run: Uuid::new_v4(), first: 0 }
    }
}

/// All deliveries of a run, or of a part of it. Sequence numbers count passes, within them draws, and within these
/// clips.
#[derive(Debug)]
pub(super) struct Plan {
    part: Part,
    /// The seed of the noise keys; `None` leaves the noise to the emulator.
    seed: Option<u64>,
    clips: Arc<[Prepared]>,
    passes: Vec<Pass>,
    /// The first sequence number of each pass, and the one after the last pass.
    starts: Vec<u64>,
}

impl Plan {
    /// A plan that sends each of `clips` in each of `passes`.
    pub fn new(part: Part, clips: Arc<[Prepared]>, passes: Vec<Pass>, seed: Option<u64>) -> Plan {
        let mut starts = vec![part.first];
        for pass in &passes {
            starts.push(starts[starts.len() - 1] + pass.draws.len() as u64 * clips.len() as u64);
        }
        Plan { part, seed, clips, passes, starts }
    }

    /// Number of deliveries of the plan.
    pub fn len(&self) -> u64 {
        self.numbers().end - self.numbers().start
    }

    /// The sequence numbers of the plan.
    pub fn numbers(&self) -> Range<u64> {
        self.part.first..self.starts[self.passes.len()]
    }

    /// The position in the same run of the plan that follows this one.
    pub fn next_part(&self) -> Part {
        Part { first: self.numbers().end, ..self.part }
    }

    pub fn pass(&self, shot: Shot) -> &Pass {
        &self.passes[shot.pass]
    }

    pub fn clip(&self, shot: Shot) -> &Prepared {
        &self.clips[shot.clip]
    }

    pub fn delivery(&self, sequence: u64) -> Delivery {
        Delivery { run: self.part.run, sequence }
    }

    /// The delivery with the number `sequence`, which must be one of [`Plan::numbers`].
    pub fn shot(&self, sequence: u64) -> Shot {
        let pass = self.starts.partition_point(|start| *start <= sequence) - 1;
        let (clips, within) = (self.clips.len() as u64, sequence - self.starts[pass]);
        Shot { pass, draw: self.passes[pass].draws.start + (within / clips) as u32, clip: (within % clips) as usize }
    }

    /// The message to send under the number `sequence`, which must be one of [`Plan::numbers`].
    pub fn message(&self, sequence: u64) -> v1::Clip {
        let shot = self.shot(sequence);
        let clip = &self.clips[shot.clip];
        let key = |seed| noise_key_to_wire(NoiseKey { seed, draw: shot.draw, row: clip.row });
        v1::Clip {
            delivery: Some(self.delivery(sequence).to_wire()),
            noise: self.seed.map(key),
            conditions: self.passes[shot.pass].conditions.as_ref().map(conditions_to_wire),
            ..clip.message.clone()
        }
    }
}

/// A clip of a corpus as a message: its features or, for text without features, its transcript. `origins` are the ids
/// of the provenance of the features, by [`Modality::index`].
pub(super) fn prepare(row: usize, clip: &Clip, origins: &[Option<String>; 3]) -> Prepared {
    let features = |modality: Modality| {
        let at = modality.index();
        clip.features[at].as_ref().map(|sequence| features(sequence, origins[at].clone()))
    };
    let transcript = || (!clip.text.is_empty()).then(|| Kind::Transcript(clip.text.clone()));
    let modalities = Modality::ALL.into_iter().filter_map(|modality| {
        let kind = features(modality).or_else(|| transcript().filter(|_| modality == Modality::Text))?;
        Some((modality.name().to_owned(), v1::Content { kind: Some(kind) }))
    });
    let message = v1::Clip {
        id: clip.id.clone(),
        modalities: modalities.collect(),
        label: Some(clip.label),
        caption: Some(clip.text.clone()).filter(|text| !text.is_empty()),
        ..v1::Clip::default()
    };
    Prepared { message, row: row as u64, place: String::new() }
}

fn features(sequence: &Sequence, provenance: Option<String>) -> Kind {
    Kind::Features(v1::Features {
        // More frames than a u32 holds would not fit into a message.
        frames: u32::try_from(sequence.frames()).unwrap_or(u32::MAX),
        width: u32::try_from(sequence.width()).unwrap_or(u32::MAX),
        data: sequence.data().iter().flat_map(|value| value.to_le_bytes()).collect(),
        provenance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use phy::SnrDb;

    #[test]
    fn numbers_run_through_passes_draws_and_clips() {
        let clips: Arc<[_]> =
            [7, 9].map(|row| Prepared { message: v1::Clip::default(), row, place: String::new() }).into();
        let awgn = Conditions::Awgn(SnrDb::try_from(3.0).unwrap());
        let passes = vec![
            Pass { conditions: Some(awgn), draws: 4..7 },
            Pass { conditions: None, draws: 0..1 },
            Pass { conditions: Some(Conditions::None), draws: 4..5 },
        ];
        let plan = Plan::new(Part::begin(), clips.clone(), passes.clone(), Some(11));
        let all: Vec<(usize, u32, usize)> =
            plan.numbers().map(|n| plan.shot(n)).map(|shot| (shot.pass, shot.draw, shot.clip)).collect();
        let expected = [(0, 4, 0), (0, 4, 1), (0, 5, 0), (0, 5, 1), (0, 6, 0), (0, 6, 1)];
        assert_eq!(all[..6], expected);
        assert_eq!(all[6..], [(1, 0, 0), (1, 0, 1), (2, 4, 0), (2, 4, 1)]);

        let message = plan.message(3);
        assert_eq!(message.noise, Some(v1::NoiseKey { seed: 11, draw: 5, row: 9 }));
        assert_eq!(message.conditions, Some(conditions_to_wire(&awgn)));
        assert_eq!(message.delivery.unwrap().sequence, 3);
        assert_eq!(plan.message(6).conditions, None);

        let next = Plan::new(plan.next_part(), clips, passes, Some(11));
        assert_eq!((plan.numbers(), next.numbers(), next.len()), (0..10, 10..20, 10));
        assert!(next.numbers().map(|n| next.shot(n)).eq(plan.numbers().map(|n| plan.shot(n))));
        assert_eq!(next.delivery(10).run, plan.delivery(0).run);
    }
}
