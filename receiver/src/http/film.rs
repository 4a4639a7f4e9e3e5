//! A film or recording of one's own, sent through the whole link: what is heard and seen in it, what is sent of that and
//! arrives, and what is predicted.

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

/// How long a file may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(60);
/// How long the first answer may take, and all others after it.
const DEADLINE: Duration = Duration::from_secs(60);
/// Files at a time. Each is held once, as it came: the clips that are sent share it.
const PLACES: usize = 2;

/// What a request says beside the file, in its query.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What is said in it.
    #[serde(default)]
    text: String,
}

/// What became of a film.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Film {
    /// The transcript that was read; null if there was none, or these weights read none.
    text: Option<String>,
    #[serde(flatten)]
    answers: Answers,
    /// Of the clip over the live channel; null where the transmitter does not tell.
    inspection: Option<InspectionView>,
}

/// Sends films, a few at a time.
pub struct Films(Semaphore);

impl Default for Films {
    fn default() -> Self {
        Films(Semaphore::new(PLACES))
    }
}

impl Films {
    /// Reads a file, sends it and gathers the answers.
    ///
    /// # Errors
    /// What is wrong with the request or the file, or failed.
    pub async fn send(&self, transmitter: &Transmitter, ask: Ask, request: Request) -> Result<Film, Problem> {
        check_length(&ask.text)?;
        let _place = self.place()?;
        // Before the file is read: where it cannot be taken, that is said at once.
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

/// Over the live channel first, looked into: where the file cannot be read it does not travel again. The transmitter
/// remembers what it found, so the others cost their way to it and no more.
async fn travel(transmitter: &Transmitter, takes: &Takes, text: String, file: Bytes) -> Result<Film, Problem> {
    let course = Course::new(refused);
    let text = Some(text).filter(|text| !text.trim().is_empty());
    // Weights that cannot read still hear and see; people are shown what was said.
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
    Ok(Film { text: read, answers: course.answers(&outcomes)?, inspection })
}

/// The messages of clips with the same file, made as they are sent.
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
