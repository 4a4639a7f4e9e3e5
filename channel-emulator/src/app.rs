//! The serving process: its arguments, its parts, its run.

use crate::live::Live;
use crate::service::Service;
use link::serve::{Services, Socket, serve};
use link::{Drain, PeerUrl};
use phy::{ChannelKind, Conditions, SnrDb};
use proto::v1::channel_emulator_server::ChannelEmulatorServer;
use std::net::SocketAddr;

/// The SNR of a channel that has one, if none is given.
const DEFAULT_SNR_DB: f64 = 12.0;

/// Arguments of `channel-emulator serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// The receiver, http://host:port.
    #[arg(long, value_name = "URL")]
    pub receiver: PeerUrl,
    /// Where to listen, host:port; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50052")]
    pub listen: String,
    /// The live channel: none, awgn, rayleigh or rician.
    #[arg(long, default_value = "rayleigh")]
    pub channel: ChannelKind,
    /// The live SNR, Es/N0 per complex symbol in dB [default: 12].
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    pub snr: Option<SnrDb>,
    /// The live K factor, linear; rician needs one.
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub k_factor: Option<f64>,
    /// Seeds the channel of bursts that carry no noise key.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl ServeArgs {
    fn conditions(&self) -> anyhow::Result<Conditions> {
        let snr_db = match (self.channel, self.snr) {
            (ChannelKind::None, given) | (_, given @ Some(_)) => given,
            (_, None) => Some(SnrDb::try_from(DEFAULT_SNR_DB)?),
        };
        Ok(Conditions::new(self.channel, snr_db, self.k_factor)?)
    }
}

/// A channel emulator that is ready to serve.
pub struct App {
    socket: Socket,
    live: Live,
    seed: u64,
    receiver: PeerUrl,
}

impl App {
    /// Checks the conditions and binds the port.
    ///
    /// # Errors
    /// If the conditions are none or the port cannot be bound.
    pub async fn new(args: &ServeArgs) -> anyhow::Result<App> {
        let live = Live::new(args.conditions()?);
        let socket = Socket::bind(&args.listen).await?;
        Ok(App { socket, live, seed: args.seed, receiver: args.receiver.clone() })
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    ///
    /// # Errors
    /// If serving fails.
    pub async fn run(self) -> anyhow::Result<()> {
        let drain = Drain::on_signals()?;
        self.run_until(drain).await
    }

    /// Serves until `drain` starts, then drains.
    ///
    /// # Errors
    /// If serving fails.
    pub async fn run_until(self, drain: Drain) -> anyhow::Result<()> {
        let App { socket, live, seed, receiver } = self;
        tracing::info!(conditions = %live.get(), seed, %receiver, "channel emulator");
        let service = Service::new(live, seed, receiver, drain.clone());
        let server = ChannelEmulatorServer::new(service).max_decoding_message_size(link::MAX_MESSAGE_BYTES);
        serve(socket, Services::default().with(server), &drain).await?;
        Ok(())
    }
}
