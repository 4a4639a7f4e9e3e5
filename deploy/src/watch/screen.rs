//! The terminal while it is drawn on, and the keys that come from it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc;

/// Keys that wait; further ones are taken up later.
const QUEUE: usize = 64;
/// How soon the thread that reads keys sees that nobody wants them any more.
const PATIENCE: Duration = Duration::from_millis(100);

/// The terminal in raw mode, on its second screen. Dropping it restores both; so does a panic, before it is printed.
pub struct Screen {
    /// Where to draw.
    pub terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// If it cannot be; it is left as it was.
    pub fn enter() -> Result<Screen> {
        match ratatui::try_init() {
            Ok(terminal) => Ok(Screen { terminal }),
            Err(error) => {
                let _ = ratatui::try_restore();
                Err(error).context("taking over the terminal")
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is nobody left to tell if it fails.
        let _ = self.terminal.show_cursor();
        let _ = ratatui::try_restore();
    }
}

/// What comes from the terminal. Dropping it ends the thread that reads.
pub struct Keys {
    events: mpsc::Receiver<io::Result<Event>>,
    wanted: Arc<AtomicBool>,
}

impl Keys {
    /// Starts to read.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn listen() -> Result<Keys> {
        let (sender, events) = mpsc::channel(QUEUE);
        let wanted = Arc::new(AtomicBool::new(true));
        let still = wanted.clone();
        let read = move || {
            while still.load(Ordering::Relaxed) {
                let event = match event::poll(PATIENCE) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let last = event.is_err();
                if sender.blocking_send(event).is_err() || last {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("keys".into()).spawn(read).context("starting to read keys")?;
        Ok(Keys { events, wanted })
    }

    /// The next key or change of size. Safe to cancel.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub async fn next(&mut self) -> Result<Event> {
        self.events.recv().await.context("the keys ended")?.context("reading keys")
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Relaxed);
    }
}
