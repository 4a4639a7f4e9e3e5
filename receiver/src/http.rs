//! The dashboard: a page and its API over HTTP/1.1, beside the gRPC services.
//!
//! ```text
//! journal ─▶ state (at most 5 a second, serialised once) ─▶ events ─▶ every page that is open
//! emulator ─▶ its live conditions, followed ─┘      history (one point a second) ─▶ a page that opens
//! page ─▶ guard ─▶ conditions, sweep ─▶ emulator          page ─▶ guard ─▶ sentence, video ─▶ transmitter
//! ```
//!
//! * [`server`]: connections, their limits and their end. [`guard`]: which requests are refused before they are
//!   handled.
//! * [`state`], [`view`], [`reference`] and [`events`]: the live state that watchers get. [`history`]: the last ten
//!   minutes, for a page that opens.
//! * [`emulator`] and [`sweep`]: the live conditions, changed by hand or point by point.
//! * [`transmitter`], [`sentence`] and [`video`]: sentences and videos that a user sends from the page. [`answers`] and
//!   [`inspection`]: their results.
//! * [`assets`]: the files of the page.
//!
//! The dashboard never holds up the decoder: it reads counts under a short lock, a few times a second for all watchers
//! together.

pub mod answers;
pub mod assets;
pub mod emulator;
pub mod events;
pub mod guard;
pub mod history;
pub mod inspection;
pub mod origin;
mod plotly;
pub mod problem;
pub mod reference;
mod routes;
pub mod sentence;
pub mod server;
pub mod state;
pub mod sweep;
pub mod transmitter;
pub mod video;
pub mod view;

use crate::journal::Live;
use crate::tap::Tap;
use axum::Router;
use emulator::Emulator;
use guard::Hosts;
use history::History;
use origin::Origin;
use runtime::serve::ServeError;
use runtime::{Drain, PeerUrl};
use sentence::Sentences;
use serde::Serialize;
use state::States;
use std::net::SocketAddr;
use std::sync::Arc;
use sweep::Sweeps;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use transmitter::Transmitter;
use video::Videos;

/// Maximum number of open event streams, one for each open page.
const EVENT_STREAMS: usize = 64;

/// Options of the dashboard, as flags of `receiver serve`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Address to serve the dashboard on, such as 127.0.0.1:8080; port 0 takes a free port. Whoever can reach it can
    /// change the channel.
    #[arg(long, value_name = "ADDR")]
    pub http: Option<String>,
    /// The channel emulator, http://host:port; the dashboard shows and changes its live conditions.
    #[arg(long, value_name = "URL", requires = "http")]
    pub emulator: Option<PeerUrl>,
    /// The transmitter, http://host:port; the dashboard sends it the sentences and videos that users type, drop and
    /// record.
    #[arg(long, value_name = "URL", requires = "http")]
    pub transmitter: Option<PeerUrl>,
    /// A host name that the dashboard is reached by, in addition to localhost and IP addresses; may be given more than
    /// once. Requests for other names are refused.
    #[arg(long, value_name = "NAME", requires = "http")]
    pub http_host: Vec<String>,
    /// URL at which a reverse proxy shows the dashboard, such as https://example.org; may be given more than once. Its
    /// host is accepted as with --http-host, and pages from this origin may change the channel.
    #[arg(long, value_name = "URL", requires = "http")]
    pub dashboard_origin: Vec<Origin>,
}

/// What the receiver serves, as `/api/info` describes it to the page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct About {
    /// Identifier of the weights being served.
    pub model_id: String,
    /// Number of complex symbols of a burst; 0 if it differs between clips.
    pub symbols: usize,
    /// Name of the equaliser: `mmse` or `zf`.
    pub equaliser: String,
    /// Name of the scheme; empty if not known.
    pub scheme: String,
    /// The range of training SNRs in dB, both ends included; `None` if not known or trained without noise.
    pub training_snr_db: Option<(f64, f64)>,
    /// The corpus that the weights were trained on; `None` if not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corpus: Option<String>,
}

/// The parts of the dashboard that all request handlers share.
pub struct Parts {
    about: About,
    states: Arc<States>,
    history: History,
    emulator: Option<Arc<Emulator>>,
    transmitter: Option<Transmitter>,
    sentences: Sentences,
    videos: Videos,
    sweeps: Sweeps,
    /// Permits for the event streams that may still be opened.
    streams: Arc<Semaphore>,
    drain: Drain,
}

/// A dashboard whose address is bound, ready to run.
pub struct Dashboard {
    listener: TcpListener,
    address: SocketAddr,
    hosts: Hosts,
    parts: Arc<Parts>,
}

impl Dashboard {
    /// Binds `address` for a dashboard of what `live` and `tap` show.
    ///
    /// # Errors
    /// Fails if the address is not valid or is in use; the error names it.
    pub async fn bind(
        address: &str,
        args: &Args,
        about: About,
        live: Live,
        tap: Tap,
        drain: Drain,
    ) -> Result<Self, ServeError> {
        let fail = |source| ServeError::Bind { address: address.into(), source };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        let bound = listener.local_addr().map_err(fail)?;
        if !bound.ip().is_loopback() {
            tracing::warn!(address = %bound, "the dashboard asks for no password: who reaches it can change the channel");
        }
        let emulator = args.emulator.clone().map(|url| Arc::new(Emulator::new(url)));
        let history = History::new(live.clone(), emulator.clone());
        let sweeps = Sweeps::new(emulator.clone(), live.clone(), drain.clone());
        let states = States::new(
            (&about.model_id, about.symbols),
            live,
            tap,
            history.clone(),
            emulator.clone(),
            sweeps.progress(),
        );
        let parts = Parts {
            states: Arc::new(states),
            about,
            history,
            emulator,
            transmitter: args.transmitter.clone().map(Transmitter::new),
            sentences: Sentences::default(),
            videos: Videos::default(),
            sweeps,
            streams: Arc::new(Semaphore::new(EVENT_STREAMS)),
            drain,
        };
        let hosts = Hosts::new(bound, &args.http_host, &args.dashboard_origin);
        Ok(Dashboard { listener, address: bound, hosts, parts: Arc::new(parts) })
    }

    /// The address that the dashboard is bound to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the drain starts; the routes of `metrics` are served beside the dashboard's. When the drain starts,
    /// event streams end at once and a running sweep restores the previous conditions.
    pub async fn run(self, metrics: Router) {
        let Dashboard { listener, hosts, parts, .. } = self;
        let router = routes::router(parts.clone(), hosts).merge(metrics);
        let following = async {
            match &parts.emulator {
                Some(emulator) => emulator.follow().await,
                None => std::future::pending().await,
            }
        };
        let background = async { tokio::join!(following, parts.history.run(), parts.states.run()) };
        tokio::select! {
            () = server::serve(listener, router, &parts.drain) => {}
            _ = background => {}
        }
        parts.sweeps.stop().await;
    }
}
