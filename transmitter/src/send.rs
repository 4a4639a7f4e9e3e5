//! The client that sends clips.

/// Arguments of `transmitter send`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Sends clips and reports what arrived.
///
/// # Errors
/// Always, so far: there is nothing to send yet.
pub async fn run(_: Args) -> anyhow::Result<()> {
    anyhow::bail!("nothing to send")
}
