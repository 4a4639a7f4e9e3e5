//! The receiver process: builds its parts, runs them, and ends them in order.

use crate::ServeArgs;
use crate::decoder::Decoder;
use crate::http::{self, About, Dashboard};
use crate::journal::Journal;
use crate::meter::Meter;
use crate::service::Service;
use crate::tap::Tap;
use crate::videos::Videos;
use anyhow::{Context, Result, anyhow};
use features::Extractors;
use proto::v1::receiver_server::ReceiverServer;
use runtime::serve::{Admission, Services, Socket, serve};
use runtime::{Drain, Observer};
use schemes::scheme::{Receive, VideoReader};
use schemes::weights::{Manifest, load_receiver_with, receiver_manifest};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wire::MAX_MESSAGE_BYTES;

/// Maximum number of concurrent streams of bursts, over all channel emulators together.
const STREAMS: usize = 256;
/// Maximum number of concurrent streams of snapshots (RPC `Watch`).
const WATCHERS: usize = 64;
/// Longest silence on a stream whose bursts are in work: a progress message is sent at least this often. It is well
/// below the time after which a hop resends.
const PROGRESS: Duration = Duration::from_secs(20);
/// How long the dashboard may take to end. A running sweep restores the previous conditions in that time.
const DASHBOARD_ENDING: Duration = Duration::from_secs(8);

/// A receiver that has loaded its weights and bound its addresses, ready to serve.
pub struct App {
    socket: Socket,
    service: Service,
    observer: Observer,
    tap: Tap,
    about: About,
    dashboard: Option<Dashboard>,
    decoding: JoinHandle<()>,
    journaling: JoinHandle<()>,
}

impl App {
    /// Loads the weights, opens the journal and binds the addresses. The app drains at SIGTERM and SIGINT.
    ///
    /// # Errors
    /// Fails if the weights, the extractors, the journal or an address cannot be had; the error names which.
    pub async fn new(args: &ServeArgs) -> Result<Self> {
        let manifest = receiver_manifest(&args.weights)?;
        let half = load_receiver_with(&args.weights, videos(args.extractors.as_deref(), &manifest)?)?;
        let drain = Drain::on_signals().context("cannot listen for signals")?;
        files::create_parents(&args.journal)?;
        let mut app = App::with(Arc::from(half), &args.journal, &args.listen, drain).await?;
        let card = app.service.half.card();
        (app.about.scheme, app.about.training_snr_db) = (card.scheme.clone(), card.training_snr_db);
        app.about.corpus = Some(manifest.training.corpus.clone()).filter(|corpus| !corpus.is_empty());
        app.with_dashboard(&args.dashboard).await
    }

    /// An app without a dashboard, built from a receiver half, the path of the journal's file, an address `host:port`
    /// to serve on, and the drain that ends it.
    ///
    /// # Errors
    /// Fails if the journal cannot be opened or the address cannot be bound.
    pub async fn with(half: Arc<dyn Receive>, journal: &Path, listen: &str, drain: Drain) -> Result<Self> {
        let socket = Socket::bind(listen).await?;
        let card = half.card().clone();
        let (model_id, symbols) = (card.model_id, card.channel_uses.fixed().unwrap_or(0));
        let observer = Observer::new("receiver");
        let meter = Meter::register(&observer);
        let (journal, live, journaling) = Journal::open(journal, &model_id, meter.clone())?;
        let tap = Tap::default();
        let equaliser = card.equaliser.to_string();
        let about = About { model_id: model_id.clone(), symbols, equaliser, ..About::default() };
        let (decoder, decoding) = Decoder::start(half.clone(), journal, tap.clone(), meter.clone())?;
        tracing::info!(model_id, symbols, "weights loaded");
        let (admission, watchers) = (Admission::new(STREAMS), Admission::new(WATCHERS));
        let (tracer, progress) = (observer.tracer(), PROGRESS);
        let service = Service { model_id, half, decoder, progress, live, drain, admission, watchers, meter, tracer };
        Ok(App { socket, service, observer, tap, about, dashboard: None, decoding, journaling })
    }

    /// Sets the longest silence on a stream whose bursts are in work: a progress message is sent at least once per
    /// `every`.
    #[must_use]
    pub fn with_progress(mut self, every: Duration) -> Self {
        self.service.progress = every;
        self
    }

    /// Adds the dashboard and binds its address, if `args.http` names one.
    ///
    /// # Errors
    /// Fails if the dashboard's address cannot be bound.
    pub async fn with_dashboard(mut self, args: &http::Args) -> Result<Self> {
        if let Some(address) = &args.http {
            let (about, live, drain) = (self.about.clone(), self.service.live.clone(), self.service.drain.clone());
            self.dashboard = Some(Dashboard::bind(address, args, about, live, self.tap.clone(), drain).await?);
        }
        Ok(self)
    }

    /// The address that the dashboard is bound to; `None` if there is no dashboard.
    pub fn dashboard(&self) -> Option<SocketAddr> {
        self.dashboard.as_ref().map(Dashboard::address)
    }

    /// The address that the gRPC service is bound to.
    pub fn address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Serves until the drain is over and the journal holds every burst that was accepted.
    ///
    /// # Errors
    /// Fails if the server, the decoder or the journal's writer breaks.
    pub async fn run(self) -> Result<()> {
        let App { socket, service, observer, dashboard, mut decoding, mut journaling, .. } = self;
        let (drain, decoder) = (service.drain.clone(), service.decoder.clone());
        let metrics = observer.router();
        let mut services =
            Services::of(observer).with(ReceiverServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES));
        let mut watching = None;
        if let Some(dashboard) = dashboard {
            services = services.announcing(format!("dashboard on http://{}", dashboard.address()));
            watching = Some(tokio::spawn(dashboard.run(metrics)));
        }
        // Neither thread ends before the decoder is closed, unless it panics.
        tokio::select! {
            served = serve(socket, services, &drain) => served?,
            _ = &mut decoding => return Err(anyhow!("the decoder broke; see the log")),
            _ = &mut journaling => return Err(anyhow!("the journal's writer broke; see the log")),
        }
        // Bursts that were accepted pass through the decoder, then through the journal.
        decoder.close().await;
        decoding.await.context("the decoder broke")?;
        journaling.await.context("the journal's writer broke")?;
        if let Some(watching) = watching {
            timeout(DASHBOARD_ENDING, watching)
                .await
                .context("the dashboard does not end")?
                .context("the dashboard broke")?;
        }
        Ok(())
    }
}

/// The reader that turns received videos into features, for weights of a scheme that sends whole videos. `None` for
/// other schemes (their extractors run in the transmitter), and if the extractors are not available.
fn videos(folder: Option<&Path>, manifest: &Manifest) -> Result<Option<Arc<dyn VideoReader>>> {
    let trained = &manifest.extractors;
    if !manifest.scheme.reads_in_receiver() || trained.is_empty() {
        return Ok(None);
    }
    let extractors = Extractors::of_weights(folder, trained).context("--extractors")?;
    if extractors.is_none() {
        tracing::warn!("films are refused: start the receiver with --extractors DIR, a folder that holds {trained}");
    }
    Ok(extractors.map(|extractors| Arc::new(Videos(extractors)) as Arc<dyn VideoReader>))
}
