//! The three processes on this machine.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result};

use crate::service::Service;

/// Receiver, channel emulator and transmitter on free loopback ports.
pub struct Stack {
    receiver: Service,
    emulator: Service,
    transmitter: Service,
}

/// Where the dashboard is served, and the ports that it must know beforehand.
pub struct Live<'a> {
    /// `host:port` of the dashboard.
    pub http: &'a str,
    /// Of the transmitter; emulator and receiver have the two after it.
    pub port: u16,
}

impl Live<'_> {
    fn address(&self, offset: u16) -> String {
        format!("127.0.0.1:{}", self.port + offset)
    }
}

/// A free port.
const ANY: &str = "127.0.0.1:0";

impl Stack {
    /// Starts all three with the weights in a folder and waits until each listens. Journal and logs go to `folder`,
    /// which is made; a journal of an earlier run is removed.
    ///
    /// # Errors
    /// What kept one of them from starting.
    pub async fn start(weights: &Path, folder: &Path) -> Result<Stack> {
        Stack::at([ANY, ANY, ANY], weights, folder, Vec::new()).await
    }

    /// The same on known ports and with a dashboard.
    ///
    /// # Errors
    /// What kept one of them from starting, such as a port in use.
    pub async fn live(weights: &Path, folder: &Path, live: &Live<'_>) -> Result<Stack> {
        let [transmitter, emulator, receiver] = [0, 1, 2].map(|offset| live.address(offset));
        let url = |address: &str| OsString::from(format!("http://{address}"));
        let mut dashboard: Vec<OsString> = vec!["--http".into(), live.http.into()];
        dashboard.extend(["--emulator".into(), url(&emulator), "--transmitter".into(), url(&transmitter)]);
        Stack::at([&transmitter, &emulator, &receiver], weights, folder, dashboard).await
    }

    async fn at(listen: [&str; 3], weights: &Path, folder: &Path, dashboard: Vec<OsString>) -> Result<Stack> {
        let failed = || folder.display().to_string();
        if folder.exists() {
            std::fs::remove_dir_all(folder).with_context(failed)?;
        }
        std::fs::create_dir_all(folder).with_context(failed)?;
        let journal = folder.join("journal.sqlite").into_os_string();
        let weights = weights.as_os_str().to_owned();

        let mut args: Vec<OsString> = vec!["--weights".into(), weights.clone(), "--journal".into(), journal];
        args.extend(dashboard);
        let receiver = Service::start("receiver", listen[2], &args, folder).await?;
        let args = ["--receiver".into(), receiver.url().into()];
        let emulator = Service::start("channel-emulator", listen[1], &args, folder).await?;
        let args = ["--weights".into(), weights, "--emulator".into(), emulator.url().into()];
        let transmitter = Service::start("transmitter", listen[0], &args, folder).await?;
        Ok(Stack { receiver, emulator, transmitter })
    }

    /// Where clips are sent.
    pub fn url(&self) -> &str {
        self.transmitter.url()
    }

    /// Returns when one of the three ends by itself. Safe to cancel.
    pub async fn ended(&mut self) -> anyhow::Error {
        tokio::select! {
            error = self.receiver.ended() => error,
            error = self.emulator.ended() => error,
            error = self.transmitter.ended() => error,
        }
    }

    /// Stops all three, from where the clips come in to where they come out.
    ///
    /// # Errors
    /// The first that did not end in order; the others are stopped all the same.
    pub async fn stop(self) -> Result<()> {
        let transmitter = self.transmitter.stop().await;
        let emulator = self.emulator.stop().await;
        let receiver = self.receiver.stop().await;
        transmitter.and(emulator).and(receiver)
    }
}
