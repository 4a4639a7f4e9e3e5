//! `latentlink watch`: the live curve, table and clips in a terminal.
//!
//! ```text
//! receiver, emulator ─▶ feed ─ updates ─▶ model ─▶ draw ─▶ screen
//!               ▲                          ▲  │
//!               └───────── wishes ─────────┼──┘
//! terminal ─▶ keys ─▶ input ─ actions ─────┘
//! ```
//!
//! [`model`] is pure state: what is on the screen follows from the updates and actions it was given.

mod args;
mod control;
mod draw;
mod feed;
mod input;
mod latency;
mod model;
mod plain;
mod point;
mod rate;
mod screen;
mod text;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
pub use args::Args;
use draw::Theme;
use feed::Feed;
use model::Model;
use ratatui::crossterm::event::Event;
use screen::{Keys, Screen};
use tokio::time::MissedTickBehavior;

use crate::signals::interrupted;

/// Watches until a key or a signal ends it, or prints one snapshot. Gives the exit code: 0, or 128 and the number of the
/// signal.
///
/// # Errors
/// If there is no terminal to draw on, or for one snapshot, no answer. The terminal is restored in every case.
pub async fn run(args: &Args) -> Result<ExitCode> {
    let mut model = Model::new(args.receiver.to_string(), args.emulator.as_ref().map(ToString::to_string));
    if args.once {
        once(args, &mut model).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if !std::io::stdout().is_terminal() {
        bail!(
            "standard output is no terminal to draw on; `watch --once` prints one snapshot, `watch --once --json` as JSON"
        );
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        bail!("the terminal (TERM=dumb) cannot be drawn on; `watch --once` prints one snapshot");
    }
    let ended = {
        let mut screen = Screen::enter()?;
        watch(args, &mut model, &mut screen).await?
    };
    Ok(ended.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 + signal)))
}

/// Prints one snapshot.
async fn once(args: &Args, model: &mut Model) -> Result<()> {
    let snapshot = feed::snapshot(&args.receiver).await?;
    let in_force = match &args.emulator {
        Some(emulator) => Some(feed::conditions(emulator).await?),
        None => None,
    };
    plain::heard(model, snapshot, in_force);
    let text = match args.json {
        true => serde_json::to_string_pretty(&plain::json(model))? + "\n",
        false => plain::table(model),
    };
    // Not `print!`: a reader that has enough, such as `head`, is no reason to panic.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Draws what comes in. Gives the number of the signal that ended it, if it was one.
async fn watch(args: &Args, model: &mut Model, screen: &mut Screen) -> Result<Option<u8>> {
    let theme = Theme::from_env();
    let mut keys = Keys::listen()?;
    let mut feed = Feed::start(args);
    let mut sampling = tokio::time::interval(args.sampling());
    sampling.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut signal = std::pin::pin!(interrupted());
    loop {
        screen.terminal.draw(|frame| draw::draw(frame, model, theme, Instant::now()))?;
        let due = model.control.due_at();
        let wait = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            update = feed.next() => model.update(update, Instant::now()),
            event = keys.next() => if let Event::Key(key) = event?
                && let Some(action) = input::action(&key)
                && !model.act(action, Instant::now())
            {
                return Ok(None);
            },
            _ = sampling.tick() => model.rate.sample(Instant::now()),
            () = wait => if let Some(wish) = model.control.take_due(Instant::now()) {
                feed.wish(wish);
            },
            number = &mut signal => return number.map(Some),
        }
    }
}
