//! The serving process: its arguments, its parts, its run.

use crate::service::Service;
use anyhow::Context;
use link::serve::{Services, Socket, serve};
use link::{Drain, PeerUrl};
use model::scheme::TransmitterHalf;
use proto::v1::transmitter_server::TransmitterServer;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `transmitter serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// The weights folder, or its transmitter half.
    #[arg(long, value_name = "DIR")]
    pub weights: PathBuf,
    /// The channel emulator, http://host:port.
    #[arg(long, value_name = "URL")]
    pub emulator: PeerUrl,
    /// Where to listen, host:port; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051")]
    pub listen: String,
}

/// A transmitter that is ready to serve.
pub struct App {
    socket: Socket,
    half: Arc<dyn TransmitterHalf>,
    emulator: PeerUrl,
}

impl App {
    /// Binds the port and loads the weights.
    ///
    /// # Errors
    /// If the port cannot be bound or the weights cannot be loaded.
    pub async fn new(args: &ServeArgs) -> anyhow::Result<App> {
        let socket = Socket::bind(&args.listen).await?;
        let path = args.weights.clone();
        let half = tokio::task::spawn_blocking(move || model::weights::load_transmitter(&path))
            .await
            .context("loading the weights failed")??;
        Ok(App::with_half(socket, half.into(), args.emulator.clone()))
    }

    /// From parts: any half on any bound port.
    pub fn with_half(socket: Socket, half: Arc<dyn TransmitterHalf>, emulator: PeerUrl) -> App {
        App { socket, half, emulator }
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
        let App { socket, half, emulator } = self;
        tracing::info!(model_id = half.model_id(), symbols = half.symbols(), %emulator, "transmitter");
        let service = Service::new(half, &emulator, drain.clone()).context("the compute thread did not start")?;
        let server = TransmitterServer::new(service).max_decoding_message_size(link::MAX_MESSAGE_BYTES);
        serve(socket, Services::default().with(server), &drain).await?;
        Ok(())
    }
}
