//! The process of `transmitter serve`: its arguments, its parts, its run.

use crate::reader::Reader;
use crate::service::Service;
use anyhow::Context;
use corpus::Origins;
use features::Extractors;
use proto::v1::Model;
use proto::v1::transmitter_server::TransmitterServer;
use runtime::serve::{Services, Socket, serve};
use runtime::{Drain, Observer, PeerUrl};
use schemes::scheme::{ChannelKnowledge, ModelCard, Transmit};
use schemes::weights::{load_transmitter, transmitter_manifest};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wire::convert::sentiment_task;

/// Arguments of the command `transmitter serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Folder of the weights, or of their transmitter half.
    #[arg(long, value_name = "DIR")]
    pub weights: PathBuf,
    /// The channel emulator, http://host:port.
    #[arg(long, value_name = "URL")]
    pub emulator: PeerUrl,
    /// Address to listen on, as HOST:PORT; port 0 takes a free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051")]
    pub listen: String,
    /// Folder of the pretrained extractors that the weights were trained with, for clips that are media files.
    #[arg(long, value_name = "DIR", env = "LATENTLINK_EXTRACTORS")]
    pub extractors: Option<PathBuf>,
}

/// A transmitter that has loaded its weights and bound its address, ready to serve.
pub struct App {
    socket: Socket,
    half: Arc<dyn Transmit>,
    model: Model,
    reader: Result<Reader, String>,
    emulator: PeerUrl,
}

impl App {
    /// Binds the address, loads the weights and, if the weights need them, the extractors for media files.
    ///
    /// # Errors
    /// Fails if the address cannot be bound, or the weights or the given extractors cannot be loaded.
    pub async fn new(args: &ServeArgs) -> anyhow::Result<App> {
        let socket = Socket::bind(&args.listen).await?;
        let manifest = transmitter_manifest(&args.weights)?;
        let half = load_transmitter(&args.weights)?;
        let mut app = App::with(socket, half.into(), args.emulator.clone());
        app.reader = reader(args.extractors.as_deref(), app.half.card().takes_media, &manifest.extractors)?;
        app.model.takes_media = app.reader.is_ok();
        app.model.training_seed = Some(manifest.training.seed);
        Ok(app)
    }

    /// An app built from a bound socket, any transmitter half, and the URL of the channel emulator. It refuses media
    /// files.
    pub fn with(socket: Socket, half: Arc<dyn Transmit>, emulator: PeerUrl) -> App {
        let model = describe(half.card());
        let reader = Err("this transmitter takes features only".to_owned());
        App { socket, half, model, reader, emulator }
    }

    /// The address that the gRPC service is bound to.
    pub fn address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    ///
    /// # Errors
    /// Fails if the signals cannot be handled or serving fails.
    pub async fn run(self) -> anyhow::Result<()> {
        let drain = Drain::on_signals().context("cannot listen for signals")?;
        self.run_until(drain).await
    }

    /// Serves until `drain` starts, then drains.
    ///
    /// # Errors
    /// Fails if the compute thread cannot be started or serving fails.
    pub async fn run_until(self, drain: Drain) -> anyhow::Result<()> {
        let App { socket, half, model, reader, emulator } = self;
        let Model { model_id, symbols, csit, .. } = &model;
        tracing::info!(model_id, symbols, csit, %emulator, "transmitter");
        let observer = Observer::new("transmitter");
        let service = Service::new(half, model, reader, &emulator, drain.clone(), &observer)
            .context("the compute thread did not start")?;
        let server = TransmitterServer::new(service).max_decoding_message_size(wire::MAX_MESSAGE_BYTES);
        serve(socket, Services::of(observer).with(server), &drain).await?;
        Ok(())
    }
}

/// The reader of media files for weights that were trained on features of the provenance `trained`. `videos` is whether
/// the scheme sends whole videos. The inner error is the reason with which media files are refused. Fails if `folder`
/// is given and cannot be used.
fn reader(folder: Option<&Path>, videos: bool, trained: &Origins) -> anyhow::Result<Result<Reader, String>> {
    if trained.is_empty() {
        let reason = "it is not known what made the features that these weights were trained on; send features";
        if let Some(folder) = folder {
            std::fs::read_dir(folder).with_context(|| format!("--extractors {}", folder.display()))?;
            tracing::warn!(folder = %folder.display(), "extractors are not used: {reason}");
        }
        return Ok(Err(reason.to_owned()));
    }
    if videos {
        return Ok(Ok(Reader::Videos));
    }
    let extractors = Extractors::of_weights(folder, trained).context("--extractors")?;
    let wanted = || format!("start the transmitter with --extractors DIR, a folder that holds {trained}");
    Ok(extractors.map(|extractors| Reader::Features(extractors.into())).ok_or_else(wanted))
}

/// The description of the weights that clients get from `GetModel`.
fn describe(card: &ModelCard) -> Model {
    Model {
        model_id: card.model_id.clone(),
        symbols: card.channel_uses.fixed().map(|symbols| u32::try_from(symbols).unwrap_or(u32::MAX)),
        csit: card.needs == ChannelKnowledge::Csit,
        task: Some(sentiment_task()),
        scheme: Some(card.scheme.clone()).filter(|name| !name.is_empty()),
        equaliser: Some(card.equaliser.to_string()),
        training_snr_low_db: card.training_snr_db.map(|(low, _)| low),
        training_snr_high_db: card.training_snr_db.map(|(_, high)| high),
        takes_text: card.takes_transcripts,
        provenance: card.provenance().iter().map(|(name, identity)| (name.to_owned(), identity.id())).collect(),
        ..Model::default()
    }
}
