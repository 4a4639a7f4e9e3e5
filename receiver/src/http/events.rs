//! The stream of server-sent events that a page follows: the live states.

use super::Parts;
use super::problem::Problem;
use super::state::Frame;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use futures::stream;
use runtime::Drain;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// Silence after which a comment is sent, so that both ends notice if the other is gone.
const SILENCE: Duration = Duration::from_secs(10);
/// The event that sets how long the browser waits before it opens the stream again, in milliseconds.
const RETRY: &str = "retry: 1000\n\n";
const COMMENT: &str = ":\n\n";

struct Watcher {
    first: Option<Bytes>,
    frames: watch::Receiver<Frame>,
    drain: Drain,
    _place: OwnedSemaphorePermit,
}

/// Handles `/api/events`: a stream of the current state, then of a new one whenever it has changed. A state is taken
/// when the connection can send it, so a slow watcher skips states and holds up nobody. Fails with 503 if all streams
/// are taken.
pub async fn events(State(parts): State<Arc<Parts>>) -> Result<Response, Problem> {
    let place = parts.streams.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::unavailable(format!("All {} streams are taken.", super::EVENT_STREAMS)))?;
    let (current, frames) = parts.states.watch();
    let first = [RETRY.as_bytes(), &current.event()].concat().into();
    let watcher = Watcher { first: Some(first), frames, drain: parts.drain.clone(), _place: place };
    let events = stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await?;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Body::from_stream(events)).into_response())
}

impl Watcher {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        tokio::select! {
            changed = tokio::time::timeout(SILENCE, self.frames.changed()) => match changed {
                Ok(changed) => changed.ok().map(|()| self.frames.borrow_and_update().event()),
                Err(_) => Some(Bytes::from_static(COMMENT.as_bytes())),
            },
            () = self.drain.started() => None,
        }
    }
}
