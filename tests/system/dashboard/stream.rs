//! An endless stream of clips that pin no conditions; their captions would do harm if they were interpreted as markup.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use latentlink_tests::{Client, corpus_of};
use proto::v1::{Clip, Conditions};

/// The caption of the clips. If it were interpreted as markup, its script would run.
pub(super) const MISCHIEF: &str = "<img src=x onerror=\"document.body.dataset.owned='yes'\">";
/// Number of clips in one batch.
const BATCH: u64 = 16;

/// A client that streams clips from a thread of its own. Dropping it ends the stream.
pub(super) struct Stream {
    ending: Arc<AtomicBool>,
    paused: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stream {
    /// Starts to stream clips to the transmitter at this URL.
    pub(super) fn start(transmitter: &str) -> Stream {
        let (ending, paused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let client = Client::connect(transmitter);
        let flags = (ending.clone(), paused.clone());
        let thread = std::thread::spawn(move || {
            let corpus = corpus_of(1, 1, 48);
            let clips: Vec<&corpus::Clip> = corpus.clips.iter().filter(|clip| clip.split == "test").collect();
            let mut sequence = 0;
            while !flags.0.load(Ordering::Relaxed) {
                if !flags.1.load(Ordering::Relaxed) {
                    let batch = sequence..sequence + BATCH;
                    client.send(batch.map(|n| clip(&client, n, clips[n as usize % clips.len()])).collect());
                    sequence += BATCH;
                }
                std::thread::sleep(Duration::from_millis(40));
            }
        });
        Stream { ending, paused, thread: Some(thread) }
    }

    /// Pauses the stream, or resumes it.
    pub(super) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }
}

fn clip(client: &Client, sequence: u64, of: &corpus::Clip) -> Clip {
    let mut clip = client.clip(sequence, of, Conditions::default());
    clip.conditions = None;
    match sequence % 3 {
        0 => clip.caption = Some(MISCHIEF.to_owned()),
        1 => clip.id = format!("{MISCHIEF}{sequence}"),
        _ => clip.caption = Some("what a wonderful film".to_owned()),
    }
    clip
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        // If the test has failed already, its own message is the one that counts.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
