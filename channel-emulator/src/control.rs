//! `get` and `set`: the live conditions of a running emulator, from the command line.

use anyhow::{Context, anyhow};
use phy::{ChannelName, Conditions, SnrDb};
use proto::v1;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use runtime::PeerUrl;
use runtime::connect::{UNARY_DEADLINE, reason};
use tonic::transport::Channel;
use tonic::{Response, Status};
use wire::convert;

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
    let conditions = Control::new(&args.emulator).get().await?;
    let line = if args.json { serde_json::to_string(&conditions)? } else { conditions.to_string() };
    Ok(console::print(line + "\n")?)
}

/// Changes the current conditions of an emulator and prints the new ones.
///
/// # Errors
/// If the emulator does not answer, or what is given makes no conditions together with the current ones.
pub async fn set(args: &SetArgs) -> anyhow::Result<()> {
    let mut control = Control::new(&args.emulator);
    let current = control.get().await?;
    let channel = args.channel.unwrap_or(ChannelName::from(current.kind()));
    let changed =
        channel.change(&current, args.snr, args.k_factor).with_context(|| format!("the channel is {current}"))?;
    Ok(console::print(format!("{}\n", control.set(&changed).await?))?)
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

    async fn get(&mut self) -> anyhow::Result<Conditions> {
        let call = self.client.get_conditions(v1::GetConditionsRequest {});
        answer(self.emulator, call).await
    }

    async fn set(&mut self, conditions: &Conditions) -> anyhow::Result<Conditions> {
        let call = self.client.set_conditions(convert::conditions_to_wire(conditions));
        answer(self.emulator, call).await
    }
}

async fn answer(
    emulator: &PeerUrl,
    call: impl Future<Output = Result<Response<v1::Conditions>, Status>>,
) -> anyhow::Result<Conditions> {
    let failed = |problem: String| anyhow!("the channel emulator at {emulator} did not answer: {problem}");
    let answer = tokio::time::timeout(UNARY_DEADLINE, call)
        .await
        .map_err(|_| failed(format!("{} s have passed", UNARY_DEADLINE.as_secs())))?
        .map_err(|status| failed(reason(&status)))?;
    Ok(convert::conditions_from_wire(answer.get_ref())?)
}
