//! The signals that ask a process to end.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// The number of the signal that asks this process to end: SIGINT, SIGTERM or SIGHUP. From its first poll on they end the
/// process no more by themselves.
///
/// # Errors
/// If signals cannot be listened for.
pub async fn interrupted() -> Result<u8> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] = kinds.map(signal);
    let (interrupt, terminate, hangup) = (interrupt.as_mut(), terminate.as_mut(), hangup.as_mut());
    let (Ok(interrupt), Ok(terminate), Ok(hangup)) = (interrupt, terminate, hangup) else {
        anyhow::bail!("cannot listen for signals");
    };
    let kind = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
        _ = hangup.recv() => SignalKind::hangup(),
    };
    Ok(kind.as_raw_value() as u8)
}
