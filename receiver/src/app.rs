//! The process: its parts, and how they start and end.

use crate::ServeArgs;
use crate::decoder::Decoder;
use crate::journal::Journal;
use crate::service::Service;
use anyhow::{Context, Result, anyhow};
use link::serve::{Admission, Services, Socket, serve};
use link::{Drain, MAX_MESSAGE_BYTES};
use model::scheme::ReceiverHalf;
use model::weights::load_receiver;
use proto::v1::receiver_server::ReceiverServer;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Streams of bursts at a time, of all emulators together.
const STREAMS: usize = 256;

/// A receiver that is ready to serve.
pub struct App {
    socket: Socket,
    service: Service,
    decoding: JoinHandle<()>,
    journaling: JoinHandle<()>,
}

impl App {
    /// Loads the weights, opens the journal and binds the address. Drains at SIGTERM and SIGINT.
    ///
    /// # Errors
    /// If one of them cannot be had; names it.
    pub async fn new(args: &ServeArgs) -> Result<Self> {
        let half = load_receiver(&args.weights)?;
        let drain = Drain::on_signals().context("cannot listen for signals")?;
        App::with(Arc::from(half), &args.journal, &args.listen, drain).await
    }

    /// Of parts: a receiver half, the journal's file, an address `host:port`, and what ends it.
    ///
    /// # Errors
    /// If the journal cannot be opened or the address cannot be bound.
    pub async fn with(half: Arc<dyn ReceiverHalf>, journal: &Path, listen: &str, drain: Drain) -> Result<Self> {
        let socket = Socket::bind(listen).await?;
        let (model_id, symbols) = (half.model_id().to_owned(), half.symbols());
        let (journal, live, journaling) = Journal::open(journal, &model_id)?;
        let (decoder, decoding) = Decoder::start(half, journal);
        tracing::info!(model_id, symbols, "weights loaded");
        let service = Service { model_id, symbols, decoder, live, drain, admission: Admission::new(STREAMS) };
        Ok(App { socket, service, decoding, journaling })
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Serves until the drain is over and the journal holds all that was taken in.
    ///
    /// # Errors
    /// If the server, the decoder or the journal's writer breaks.
    pub async fn run(self) -> Result<()> {
        let App { socket, service, mut decoding, mut journaling } = self;
        let (drain, decoder) = (service.drain.clone(), service.decoder.clone());
        let services =
            Services::default().with(ReceiverServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES));
        // Neither thread ends before it is told to, unless it panics.
        tokio::select! {
            served = serve(socket, services, &drain) => served?,
            _ = &mut decoding => return Err(anyhow!("the decoder broke; see the log")),
            _ = &mut journaling => return Err(anyhow!("the journal's writer broke; see the log")),
        }
        // What was taken in goes through the decoder, then through the journal.
        decoder.close().await;
        decoding.await.context("the decoder broke")?;
        journaling.await.context("the journal's writer broke")
    }
}
