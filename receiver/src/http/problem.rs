//! The answer to a request that fails, and the reading of request bodies.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use runtime::connect::reason;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tonic::{Code, Status};

/// Maximum size of a JSON body in bytes.
const BODY_BYTES: usize = 16 * 1024;
/// How long a JSON body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The answer to a request that fails: an HTTP status and the reason, in one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status of the response.
    pub status: StatusCode,
    /// The reason, as a sentence.
    pub error: String,
}

impl Problem {
    /// A problem with the given status and sentence.
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Problem { status, error: error.into() }
    }

    /// A problem with status 400: the request is not valid.
    pub fn bad(error: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, error)
    }

    /// A problem with status 503: something that the request needs is not available.
    pub fn unavailable(error: impl Into<String>) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }

    /// The problem that a call to `peer`, named as in "channel emulator at http://…", failed: 503 if the peer is away,
    /// 400 if it reports an invalid argument, else 502.
    pub fn of_peer(peer: &str, status: &Status) -> Self {
        let reason = reason(status);
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => {
                Problem::unavailable(format!("The {peer} does not answer: {reason}."))
            }
            Code::InvalidArgument => Problem::bad(format!("The {peer} refused: {reason}.")),
            _ => Problem::new(StatusCode::BAD_GATEWAY, format!("The {peer} failed: {reason}.")),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Shown {
            error: String,
        }
        (self.status, Json(Shown { error: self.error })).into_response()
    }
}

/// An extractor of a JSON request body; an empty body counts as `{}`.
pub struct Asked<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = read_body(request, BODY_BYTES, BODY_TIMEOUT).await?;
        let json = if body.is_empty() { b"{}" } else { body.as_slice() };
        serde_json::from_slice(json)
            .map(Asked)
            .map_err(|error| Problem::bad(format!("The body cannot be read: {error}.")))
    }
}

/// Reads the body of a request, of at most `most` bytes.
///
/// # Errors
/// Fails if the body is larger, breaks off, or does not arrive within `deadline`.
pub async fn read_body(request: Request, most: usize, deadline: Duration) -> Result<Vec<u8>, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(too_large(most));
    }
    let body = tokio::time::timeout(deadline, read(request.into_body(), most)).await;
    body.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time."))?
}

async fn read(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let mut read = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Problem::bad(format!("The body broke off: {error}.")))?;
        if read.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read)
}

fn too_large(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("A body may have at most {most} bytes."))
}
