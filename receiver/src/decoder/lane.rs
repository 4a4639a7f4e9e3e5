//! A lane of the decoder: a bounded queue and the threads that work on it.

use super::flights::Flight;
use crate::burst::Reception;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A burst in the decoder's queue.
pub struct Task {
    /// The burst as it arrived, checked.
    pub reception: Reception,
    /// When the burst arrived; the receiver's latency is counted from here.
    pub arrived: Instant,
    /// The burst's delivery key in work, to be landed with the reply.
    pub flight: Flight,
}

/// A handle through which tasks are sent to a lane. Cheap to clone.
#[derive(Clone)]
pub struct Lane {
    /// The sending end of the lane's queue; the message `None` ends the lane.
    tasks: mpsc::Sender<Option<Task>>,
}

impl Lane {
    /// Starts a lane: a queue of `places` tasks and one thread for each of `workers`, which gets up to `batch` tasks at
    /// once. The returned handles, one per thread, end after [`Lane::close`], or when the last [`Lane`] is dropped,
    /// once all tasks sent before are worked on.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime: the threads are blocking threads of the runtime.
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

    /// Sends a task to the lane; waits while the queue is full.
    ///
    /// # Errors
    /// Returns the task if the lane has ended.
    pub async fn send(&self, task: Task) -> Result<(), Box<Task>> {
        self.tasks.send(Some(task)).await.map_err(|unsent| Box::new(unsent.0.expect("a task was sent")))
    }

    /// Ends the lane once the tasks sent before are worked on, even if others still hold a [`Lane`].
    pub async fn close(&self) {
        // An error means that the lane has ended already.
        let _ = self.tasks.send(None).await;
    }
}

/// Up to `batch` next tasks of the queue, after waiting for at least one message; `None` at the end of the lane.
/// Threads that wait for the lock wait for tasks.
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
