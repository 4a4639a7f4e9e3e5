//! The paths of the dashboard's server and their handlers.

use super::assets::asset;
use super::emulator::Change;
use super::events::events;
use super::guard::{Hosts, OCTETS, carries, guard};
use super::history::HistoryPoint;
use super::problem::{Asked, Problem};
use super::sentence::{Ask, Sentence};
use super::sweep::{Plan, Progress, no_emulator};
use super::transmitter::Transmitter;
use super::video::{self, Video};
use super::view::ConditionsView;
use super::{About, Parts};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use std::sync::Arc;
use wire::chunks::MAX_MEDIA_BYTES;

type Shared = State<Arc<Parts>>;

/// The router of all paths of the dashboard, behind the guard.
pub fn router(parts: Arc<Parts>, hosts: Hosts) -> Router {
    Router::new()
        .route("/api/info", get(info))
        .route("/api/events", get(events))
        .route("/api/state", get(state))
        .route("/api/history", get(history))
        .route("/api/conditions", get(conditions).post(change))
        .route("/api/sweep", post(sweep).delete(stop))
        .route("/api/sentence", post(sentence))
        .route("/api/video", post(video))
        // The former name of this path; scripts may use it.
        .route("/api/film", post(video))
        .fallback(get(asset).fallback(wrong_method))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(hosts, guard))
        .with_state(parts)
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This cannot be done here.")
}

#[derive(Serialize)]
struct Info {
    #[serde(flatten)]
    about: About,
    emulator: Option<String>,
    transmitter: Option<String>,
    /// Whether the transmitter accepts text; `None` if it was never reached.
    takes_text: Option<bool>,
    /// The modalities that the transmitter takes from media files, `audio` and `visual`; `None` if it was never
    /// reached.
    takes_media: Option<Vec<&'static str>>,
    /// Maximum size of a media file in bytes.
    media_bytes: usize,
}

async fn info(State(parts): Shared) -> Json<Info> {
    let takes = match &parts.transmitter {
        Some(transmitter) => transmitter.known().await,
        None => None,
    };
    Json(Info {
        about: parts.about.clone(),
        emulator: parts.emulator.as_ref().map(|emulator| emulator.url().to_string()),
        transmitter: parts.transmitter.as_ref().map(|transmitter| transmitter.url().to_string()),
        takes_text: takes.as_ref().map(|takes| takes.text),
        takes_media: takes.map(|takes| takes.media),
        media_bytes: MAX_MEDIA_BYTES,
    })
}

async fn state(State(parts): Shared) -> Response {
    ([(CONTENT_TYPE, "application/json")], parts.states.current().json()).into_response()
}

#[derive(Serialize)]
struct Points {
    points: Vec<HistoryPoint>,
}

async fn history(State(parts): Shared) -> Json<Points> {
    Json(Points { points: parts.history.points() })
}

async fn conditions(State(parts): Shared) -> Result<Json<ConditionsView>, Problem> {
    let emulator = parts.emulator.as_ref().ok_or_else(no_emulator)?;
    Ok(Json((&emulator.get().await?).into()))
}

async fn change(State(parts): Shared, Asked(change): Asked<Change>) -> Result<Json<ConditionsView>, Problem> {
    let emulator = parts.emulator.as_ref().ok_or_else(no_emulator)?;
    Ok(Json((&emulator.change(&change).await?).into()))
}

async fn sweep(State(parts): Shared, Asked(plan): Asked<Plan>) -> Result<(StatusCode, Json<Progress>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(parts.sweeps.start(&plan).await?)))
}

async fn stop(State(parts): Shared) -> StatusCode {
    parts.sweeps.stop().await;
    StatusCode::NO_CONTENT
}

async fn sentence(State(parts): Shared, Asked(ask): Asked<Ask>) -> Result<Json<Sentence>, Problem> {
    let transmitter = way_in(&parts)?;
    Ok(Json(parts.sentences.say(transmitter, ask).await?))
}

async fn video(
    State(parts): Shared,
    query: Result<Query<video::Ask>, QueryRejection>,
    request: Request,
) -> Result<Json<Video>, Problem> {
    let Query(ask) = query.map_err(|rejection| Problem::bad(format!("{}.", rejection.body_text())))?;
    if !carries(request.headers(), OCTETS) {
        let sentence = "A file needs `Content-Type: application/octet-stream`.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    let transmitter = way_in(&parts)?;
    Ok(Json(parts.videos.send(transmitter, ask, request).await?))
}

/// The transmitter. Fails with 503 if there is none, or if it would have to wait for a channel emulator that does not
/// answer.
fn way_in(parts: &Parts) -> Result<&Transmitter, Problem> {
    let transmitter = parts.transmitter.as_ref();
    let transmitter = transmitter
        .ok_or_else(|| Problem::unavailable("This receiver knows no transmitter; start it with --transmitter URL."))?;
    parts.emulator.as_ref().map_or(Ok(()), |emulator| emulator.check())?;
    Ok(transmitter)
}
