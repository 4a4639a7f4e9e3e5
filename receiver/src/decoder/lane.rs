//! A queue and the threads that work on it.

use super::flights::Flight;
use crate::burst::Reception;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A burst to be decoded.
pub struct Task {
    /// As it came in.
    pub reception: Reception,
    /// When it came in.
    pub arrived: Instant,
    /// To be landed with what becomes of it.
    pub flight: Flight,
}

/// The way into a queue. Cheap to clone.
#[derive(Clone)]
pub struct Lane {
    /// `None` ends the lane.
    tasks: mpsc::Sender<Option<Task>>,
}

impl Lane {
    /// A queue of `places`, with a thread for each of `workers`, which gets up to `batch` tasks at once. The handles end after
    /// [`Lane::close`], or when the last [`Lane`] is dropped, once what was sent before is worked on.
    ///
    /// # Panics
    /// Outside a Tokio runtime, whose blocking threads it runs on.
    pub fn start<W>(places: usize, batch: usize, workers: Vec<W>) -> (Lane, Vec<JoinHandle<()>>)
    where
        W: FnMut(Vec<Task>) + Send + 'static,
    {
        let (tasks, queue) = mpsc::channel(places);
        let queue = Arc::new(Mutex::new(queue));
        let threads = workers.into_iter().map(|mut worker| {
            let queue = queue.clone();
            tokio::task::spawn_blocking(move || {
                while let Some(tasks) = next(&queue, batch) {
                    worker(tasks);
                }
            })
        });
        let threads = threads.collect();
        (Lane { tasks }, threads)
    }

    /// Waits for a place in the queue.
    ///
    /// # Errors
    /// The task, if the lane has ended.
    pub async fn send(&self, task: Task) -> Result<(), Box<Task>> {
        self.tasks.send(Some(task)).await.map_err(|unsent| Box::new(unsent.0.expect("a task was sent")))
    }

    /// Takes no more, even from those who still hold a [`Lane`].
    pub async fn close(&self) {
        // An error means that it has ended.
        let _ = self.tasks.send(None).await;
    }
}

/// The next tasks; `None` at the end. Those who wait for the lock wait for tasks.
fn next(queue: &Mutex<mpsc::Receiver<Option<Task>>>, batch: usize) -> Option<Vec<Task>> {
    let mut received = Vec::with_capacity(batch);
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    if queue.blocking_recv_many(&mut received, batch) == 0 {
        return None;
    }
    if received.iter().any(Option::is_none) {
        queue.close();
    }
    Some(received.into_iter().flatten().collect())
}
