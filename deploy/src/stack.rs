//! The three processes on this machine.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use crate::service::Service;

/// Receiver, channel emulator and transmitter on free loopback ports.
pub struct Stack {
    receiver: Service,
    emulator: Service,
    transmitter: Service,
}

impl Stack {
    /// Starts all three with the weights in a folder and waits until each listens. Journal and logs go to `folder`,
    /// which is made; a journal of an earlier run is removed.
    ///
    /// # Errors
    /// What kept one of them from starting.
    pub async fn start(weights: &Path, folder: &Path) -> Result<Stack> {
        use anyhow::Context;
        let failed = || folder.display().to_string();
        if folder.exists() {
            std::fs::remove_dir_all(folder).with_context(failed)?;
        }
        std::fs::create_dir_all(folder).with_context(failed)?;
        let journal = folder.join("journal.sqlite").into_os_string();
        let weights = weights.as_os_str().to_owned();
        let option = |name: &str| OsString::from(name);

        let args = [option("--weights"), weights.clone(), option("--journal"), journal];
        let receiver = Service::start("receiver", &args, folder).await?;
        let args = [option("--receiver"), receiver.url().into()];
        let emulator = Service::start("channel-emulator", &args, folder).await?;
        let args = [option("--weights"), weights, option("--emulator"), emulator.url().into()];
        let transmitter = Service::start("transmitter", &args, folder).await?;
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
