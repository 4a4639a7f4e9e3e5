//! Sends a sentence that a user types through the whole link.

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

/// Maximum length of a sentence in characters.
const MOST_CHARACTERS: usize = 2000;
/// How long all outcomes of a sentence may take together.
const DEADLINE: Duration = Duration::from_secs(10);
/// Maximum number of sentences in work.
const PLACES: usize = 4;

/// The body of a request that sends a sentence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    text: String,
}

/// The answer to a request that sends a sentence: the text and its predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sentence {
    text: String,
    #[serde(flatten)]
    answers: Answers,
}

/// Sends sentences, a few at a time.
pub struct Sentences(Semaphore);

impl Default for Sentences {
    fn default() -> Self {
        Sentences(Semaphore::new(PLACES))
    }
}

impl Sentences {
    /// Sends a sentence through `transmitter` and gathers the predictions.
    ///
    /// # Errors
    /// Fails with what is wrong with the sentence, or with which part of the link failed.
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

/// Checks the length of a transcript.
///
/// # Errors
/// Fails with status 400 if the text has more than `MOST_CHARACTERS` characters.
pub fn check_length(text: &str) -> Result<(), Problem> {
    match text.chars().count() {
        characters if characters > MOST_CHARACTERS => {
            Err(Problem::bad(format!("The text has {characters} characters; at most {MOST_CHARACTERS} are accepted.")))
        }
        _ => Ok(()),
    }
}

/// A transcript as the modality `text` of a clip.
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
