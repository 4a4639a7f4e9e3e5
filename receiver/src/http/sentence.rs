//! A sentence of one's own, sent through the whole link.

use super::answers::{Answers, Course};
use super::problem::Problem;
use super::transmitter::Transmitter;
use axum::http::StatusCode;
use proto::v1::content::Kind;
use proto::v1::{Clip, Content};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::Semaphore;
use wire::Fault;
use wire::chunks::Part;
use wire::fault::ErrorCode;

/// Longest sentence, in characters.
const MOST_CHARACTERS: usize = 2000;
/// How long the answers may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Sentences at a time.
const PLACES: usize = 4;

/// A request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    text: String,
}

/// What became of a sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sentence {
    text: String,
    #[serde(flatten)]
    answers: Answers,
}

/// Says sentences, a few at a time.
pub struct Sentences(Semaphore);

impl Default for Sentences {
    fn default() -> Self {
        Sentences(Semaphore::new(PLACES))
    }
}

impl Sentences {
    /// Sends a sentence and gathers the answers.
    ///
    /// # Errors
    /// What is wrong with the sentence, or failed.
    pub async fn say(&self, transmitter: &Transmitter, Ask { text }: Ask) -> Result<Sentence, Problem> {
        if text.trim().is_empty() {
            return Err(Problem::bad("Say something: the text is empty."));
        }
        check_length(&text)?;
        let busy = |_| Problem::unavailable(format!("{PLACES} sentences are on their way; try again."));
        let _place = self.0.try_acquire().map_err(busy)?;
        if !transmitter.takes().await?.text {
            return Err(Problem::unavailable(
                "These weights hold no text encoder: train with --text-encoder DIR (a folder with a BERT-family checkpoint), \
                 or mount weights that were trained so.",
            ));
        }
        let course = Course::new(refused);
        let clip =
            Clip { id: "a sentence from the dashboard".into(), modalities: [spoken(&text)].into(), ..Clip::default() };
        let mut clips = course.pinned(&clip);
        clips.push(course.live(&clip));
        let keys = 0..course.live_key().end;
        let outcomes = transmitter.send(tokio_stream::iter(clips.into_iter().map(Part::Item)), keys, DEADLINE).await?;
        Ok(Sentence { answers: course.answers(&outcomes)?, text })
    }
}

/// Refuses what is too long to be said.
///
/// # Errors
/// How long it may be.
pub fn check_length(text: &str) -> Result<(), Problem> {
    match text.chars().count() {
        characters if characters > MOST_CHARACTERS => {
            Err(Problem::bad(format!("The text has {characters} characters; at most {MOST_CHARACTERS} are accepted.")))
        }
        _ => Ok(()),
    }
}

/// Text as the modality `text`.
pub fn spoken(text: &str) -> (String, Content) {
    ("text".into(), Content { kind: Some(Kind::Transcript(text.into())) })
}

fn refused(fault: &Fault) -> Problem {
    let status = match fault.code {
        ErrorCode::TooLong | ErrorCode::Empty | ErrorCode::Malformed | ErrorCode::Unsupported => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::BAD_GATEWAY,
    };
    Problem::new(status, format!("The sentence was not predicted: {fault}."))
}
