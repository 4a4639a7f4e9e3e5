//! Which path does what.

use super::assets::asset;
use super::emulator::Change;
use super::events::events;
use super::guard::{Hosts, guard};
use super::history::HistoryPoint;
use super::problem::{Asked, Problem};
use super::sentence::{Ask, Sentence};
use super::sweep::{Plan, Progress, no_emulator};
use super::view::ConditionsView;
use super::{About, Parts};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use std::sync::Arc;

type Shared = State<Arc<Parts>>;

/// All paths, behind the guard.
pub fn router(parts: Arc<Parts>, hosts: Hosts) -> Router {
    Router::new()
        .route("/api/info", get(info))
        .route("/api/events", get(events))
        .route("/api/state", get(state))
        .route("/api/history", get(history))
        .route("/api/conditions", get(conditions).post(change))
        .route("/api/sweep", post(sweep).delete(stop))
        .route("/api/sentence", post(sentence))
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
    takes_text: Option<bool>,
}

async fn info(State(parts): Shared) -> Json<Info> {
    let takes_text = match &parts.transmitter {
        Some(transmitter) => transmitter.takes_text().await,
        None => None,
    };
    Json(Info {
        about: parts.about.clone(),
        emulator: parts.emulator.as_ref().map(|emulator| emulator.url().to_string()),
        transmitter: parts.transmitter.as_ref().map(|transmitter| transmitter.url().to_string()),
        takes_text,
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
    let transmitter = parts.transmitter.as_ref();
    let transmitter = transmitter
        .ok_or_else(|| Problem::unavailable("This receiver knows no transmitter; start it with --transmitter URL."))?;
    // The transmitter would wait for it.
    parts.emulator.as_ref().map_or(Ok(()), |emulator| emulator.check())?;
    Ok(Json(transmitter.say(ask).await?))
}
