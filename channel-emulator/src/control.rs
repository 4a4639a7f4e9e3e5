//! `get` and `set`: the live conditions of a running emulator, from the command line.

use anyhow::{Context, anyhow, bail};
use phy::{ChannelName, Conditions, SnrDb};
use proto::v1;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use runtime::PeerUrl;
use runtime::connect::{UNARY_DEADLINE, reason};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use wire::convert;

/// How often conditions are read again because somebody changed them before they could be set.
const TRIES: usize = 16;

/// Arguments of `channel-emulator set`.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "change", required = true, multiple = true, args = ["channel", "snr", "k_factor"])]
pub struct SetArgs {
    /// The emulator, http://host:port.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50052")]
    pub emulator: PeerUrl,
    /// Channel: none, awgn, rayleigh, rician:K (linear K factor), or rician with the current K factor or --k-factor.
    #[arg(long)]
    pub channel: Option<ChannelName>,
    /// Es/N0 per complex symbol in dB.
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    pub snr: Option<SnrDb>,
    /// K factor, line-of-sight power over scattered power, linear; rician only, and not beside rician:K.
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub k_factor: Option<f64>,
}

/// Arguments of `channel-emulator get`.
#[derive(Clone, Debug, clap::Args)]
pub struct GetArgs {
    /// The emulator, http://host:port.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50052")]
    pub emulator: PeerUrl,
    /// Print one JSON object: kind, snr_db, k_factor.
    #[arg(long)]
    pub json: bool,
}

/// Prints the current conditions of an emulator.
///
/// # Errors
/// If the emulator does not answer.
pub async fn get(args: &GetArgs) -> anyhow::Result<()> {
    let (conditions, _) = Control::new(&args.emulator).get().await?;
    let line = if args.json { serde_json::to_string(&conditions)? } else { conditions.to_string() };
    Ok(console::print(line + "\n")?)
}

/// Changes the current conditions of an emulator and prints the new ones.
///
/// # Errors
/// If the emulator does not answer, or what is given makes no conditions together with the current ones.
pub async fn set(args: &SetArgs) -> anyhow::Result<()> {
    let mut control = Control::new(&args.emulator);
    for _ in 0..TRIES {
        let (current, version) = control.get().await?;
        let channel = args.channel.unwrap_or(ChannelName::from(current.kind()));
        let changed =
            channel.change(&current, args.snr, args.k_factor).with_context(|| format!("the channel is {current}"))?;
        if let Some(changed) = control.set(&changed, version).await? {
            return Ok(console::print(format!("{changed}\n"))?);
        }
    }
    bail!("the conditions changed {TRIES} times between reading and setting them; nothing was set")
}

/// Calls to one emulator.
struct Control<'a> {
    emulator: &'a PeerUrl,
    client: ChannelEmulatorClient<Channel>,
}

impl<'a> Control<'a> {
    fn new(emulator: &'a PeerUrl) -> Self {
        Control { emulator, client: ChannelEmulatorClient::new(emulator.channel()) }
    }

    /// The current conditions and their version.
    async fn get(&mut self) -> anyhow::Result<(Conditions, u64)> {
        let call = self.client.get_conditions(v1::GetConditionsRequest {});
        let answer = answer(call).await.map_err(|status| unanswered(self.emulator, &status))?;
        Ok((convert::required_conditions(answer.conditions.as_ref())?, answer.version))
    }

    /// Sets conditions in place of those of `version`; `None` if those are no longer the current ones.
    async fn set(&mut self, conditions: &Conditions, version: u64) -> anyhow::Result<Option<Conditions>> {
        let call = self.client.set_conditions(convert::change_to(conditions, Some(version)));
        match answer(call).await {
            Ok(answer) => Ok(Some(convert::required_conditions(answer.conditions.as_ref())?)),
            Err(status) if status.code() == Code::Aborted => Ok(None),
            Err(status) => Err(unanswered(self.emulator, &status)),
        }
    }
}

async fn answer<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    let late = |_| Err(Status::deadline_exceeded(format!("{} s have passed", UNARY_DEADLINE.as_secs())));
    tokio::time::timeout(UNARY_DEADLINE, call).await.unwrap_or_else(late).map(Response::into_inner)
}

fn unanswered(emulator: &PeerUrl, status: &Status) -> anyhow::Error {
    anyhow!("the channel emulator at {emulator} did not answer: {}", reason(status))
}
