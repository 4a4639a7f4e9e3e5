//! The thread that writes.

use super::annotation::Annotation;
use super::clock;
use super::names::{Side, Stem};
use super::pair::{Ending, Pair, PairError, write_collection};
use super::{Kept, Queued, Recorder, lock};
use std::fs::File;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use wire::chunks::SYMBOL_BYTES;

/// Samples and annotations that are written at one go: all that waits, up to about so many bytes.
const BATCH_BYTES: usize = 1 << 20;

/// How long bursts gather before they are written, and so what a kill may take from the end of a recording.
const GATHER: Duration = Duration::from_millis(20);

/// Both sides of a recording.
pub struct Writer {
    stem: Stem,
    input: Pair,
    output: Pair,
    began: Instant,
    batch: Batch,
}

/// What is written at one go.
#[derive(Default)]
struct Batch {
    input: Vec<u8>,
    output: Vec<u8>,
    /// The same for both sides: a burst has as many symbols behind the channel as before it.
    annotations: Vec<u8>,
    bursts: u64,
}

impl Writer {
    /// Writes the beginnings.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn create(stem: &Stem, [input, output]: [File; 2]) -> Result<Writer, PairError> {
        let (datetime, began) = (clock::now(), Instant::now());
        Ok(Writer {
            stem: stem.clone(),
            input: Pair::create(stem, Side::In, input, &datetime)?,
            output: Pair::create(stem, Side::Out, output, &datetime)?,
            began,
            batch: Batch::default(),
        })
    }

    /// Writes what is queued until the queue is closed or a write fails, then how it ended.
    pub fn run(mut self, mut queue: mpsc::Receiver<Queued>, recorder: &Recorder) {
        while let Some(first) = queue.blocking_recv() {
            if self.batch.bytes() < BATCH_BYTES && !queue.is_closed() {
                std::thread::sleep(GATHER);
            }
            let mut queued = vec![first];
            self.batch.clear();
            self.add(&queued[0].kept);
            while self.batch.bytes() < BATCH_BYTES
                && let Ok(next) = queue.try_recv()
            {
                self.add(&next.kept);
                queued.push(next);
            }
            if let Err(error) = self.append() {
                recorder.end(error.to_string());
                break;
            }
        }
        // Whoever waits for room need not wait any more.
        recorder.0.room.close();
        drop(queue);
        let ending = match lock(&recorder.0.problem).clone() {
            None => Ending::Complete,
            Some(problem) => Ending::Failed(problem),
        };
        self.finish(&ending);
    }

    fn add(&mut self, kept: &Kept) {
        let sample_start = self.input.samples() + (self.batch.input.len() / SYMBOL_BYTES) as u64;
        let time_us = kept.at.saturating_duration_since(self.began).as_micros() as u64;
        self.batch.annotations.extend_from_slice(b",\n");
        // A struct of numbers and strings can always be written to memory.
        let _ = serde_json::to_writer(&mut self.batch.annotations, &Annotation::of(kept, sample_start, time_us));
        self.batch.input.extend_from_slice(&kept.input);
        self.batch.output.extend_from_slice(&kept.burst.symbols);
        self.batch.bursts += 1;
    }

    /// Samples first: what is annotated is there.
    fn append(&mut self) -> Result<(), PairError> {
        let Batch { input, output, annotations, bursts } = &self.batch;
        self.input.write_samples(input)?;
        self.output.write_samples(output)?;
        self.input.annotate(input, annotations, *bursts)?;
        self.output.annotate(output, annotations, *bursts)
    }

    fn finish(mut self, ending: &Ending) {
        let finished = self.input.finish(ending).and_then(|()| self.output.finish(ending));
        let finished = finished.map_err(anyhow::Error::from).and_then(|()| write_collection(&self.stem));
        match finished {
            Ok(()) => tracing::info!(recording = %self.stem, samples = self.input.samples(), "recorded"),
            Err(error) => {
                let why = console::chain(&*error);
                tracing::error!(recording = %self.stem, "the recording could not be closed: {why}");
            }
        }
    }
}

impl Batch {
    fn clear(&mut self) {
        self.input.clear();
        self.output.clear();
        self.annotations.clear();
        self.bursts = 0;
    }

    fn bytes(&self) -> usize {
        self.input.len() + self.output.len() + self.annotations.len()
    }
}
