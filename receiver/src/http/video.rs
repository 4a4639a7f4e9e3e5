//! Sends a video or recording of a user through the whole link: returns its media analysis, its symbols on both sides
//! of the channel, and the predictions.

use super::answers::{Answers, Course};
use super::inspection::InspectionView;
use super::problem::{Problem, read_body};
use super::sentence::{check_length, spoken};
use super::transmitter::{Takes, Transmitter};
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use proto::v1::{Clip, Media};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use wire::Fault;
use wire::chunks::Part;
use wire::chunks::{MAX_MEDIA_BYTES, split};
use wire::fault::ErrorCode;

/// How long the body of a request, the file, may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(60);
/// How long the first outcome may take, and then all others together.
const DEADLINE: Duration = Duration::from_secs(60);
/// Maximum number of files in work. Each is held in memory once: the clips that are sent share it.
const PLACES: usize = 2;

/// The query of a request that sends a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The transcript of the file; empty if there is none.
    #[serde(default)]
    text: String,
}

/// The answer to a request that sends a video: predictions and inspection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Video {
    /// The transcript that was encoded; null if there was none, or if the weights have no text encoder.
    text: Option<String>,
    #[serde(flatten)]
    answers: Answers,
    /// The inspection of the clip over the live channel; null if the transmitter returned none.
    inspection: Option<InspectionView>,
}

/// Sends videos, a few at a time.
pub struct Videos(Semaphore);

impl Default for Videos {
    fn default() -> Self {
        Videos(Semaphore::new(PLACES))
    }
}

impl Videos {
    /// Reads the file in the body of `request`, sends it through `transmitter` and gathers the predictions.
    ///
    /// # Errors
    /// Fails with what is wrong with the request or the file, or with which part of the link failed.
    pub async fn send(&self, transmitter: &Transmitter, ask: Ask, request: Request) -> Result<Video, Problem> {
        check_length(&ask.text)?;
        let _place = self.place()?;
        // This is checked before the file is read, so that a file which cannot be accepted is refused at once.
        let takes = transmitter.takes().await?;
        if takes.media.is_empty() {
            return Err(Problem::unavailable(
                "The transmitter takes no media files: start it with --extractors DIR, the extractors that its weights were \
                 trained with. Weights whose features are of unknown origin take none.",
            ));
        }
        let file: Bytes = read_body(request, MAX_MEDIA_BYTES, BODY_DEADLINE).await?.into();
        if file.is_empty() {
            return Err(Problem::bad("The file is empty."));
        }
        travel(transmitter, &takes, ask.text, file).await
    }

    fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let busy = |_| Problem::unavailable(format!("{PLACES} files are on their way; try again."));
        self.0.try_acquire().map_err(busy)
    }
}

/// Sends the file over the live channel first, with an inspection: if the file cannot be read, it is not sent again.
/// The transmitter remembers the features, so the other transmissions need not compute them.
async fn travel(transmitter: &Transmitter, takes: &Takes, text: String, file: Bytes) -> Result<Video, Problem> {
    let course = Course::new(refused);
    let text = Some(text).filter(|text| !text.trim().is_empty());
    // Weights without a text encoder still take sound and frames; the transcript is then shown to people only.
    let (read, caption) = if takes.text { (text, None) } else { (None, text) };
    let clip = Clip {
        id: "a video from the dashboard".into(),
        modalities: read.as_deref().map(spoken).into_iter().collect(),
        caption,
        ..Clip::default()
    };
    let looked_into = Clip { inspect: true, ..course.live(&clip) };
    let mut outcomes = transmitter.send(messages(vec![looked_into], &file), course.live_key(), DEADLINE).await?;
    course.live_answer(&outcomes)?;
    let inspection = outcomes.values_mut().find_map(|outcome| outcome.inspection.take());
    let inspection = inspection.map(InspectionView::try_from).transpose()?;
    let others = messages(course.pinned(&clip), &file);
    outcomes.append(&mut transmitter.send(others, course.pinned_keys(), DEADLINE).await?);
    Ok(Video { text: read, answers: course.answers(&outcomes)?, inspection })
}

/// The messages of several clips with the same file, made as they are sent.
fn messages(clips: Vec<Clip>, file: &Bytes) -> impl futures::Stream<Item = Part<Clip>> + Send + use<> {
    let file = file.clone();
    let with_file = move |clip| {
        let media = Media { data: file.clone(), size: Some(file.len() as u64) };
        split(Clip { media: Some(media), ..clip })
    };
    tokio_stream::iter(clips.into_iter().flat_map(with_file))
}

fn refused(fault: &Fault) -> Problem {
    let status = match fault.code {
        ErrorCode::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::TooLong | ErrorCode::Empty | ErrorCode::Malformed | ErrorCode::NotFinite => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => StatusCode::BAD_GATEWAY,
    };
    Problem::new(status, format!("The file was not predicted: {fault}."))
}
