//! How every process serves: a bound port, health, reflection, limits on what a peer may ask, and an orderly end.

use crate::connect::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT};
use crate::drain::Drain;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tonic::transport::server::TcpIncoming;
use tonic::{Status, Streaming};
use tonic_health::ServingStatus;

/// A stream on which nothing comes in for so long is ended; a [`crate::Hop`] opens it again.
const INACTIVITY: Duration = Duration::from_secs(300);
/// HTTP/2 streams on one connection.
const STREAMS_PER_CONNECTION: u32 = 256;
/// Flow-control windows. A connection's holds the whole windows of many streams, so that one stream which nobody reads
/// does not hold up the others on its connection.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1 << 20;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 64 << 20;

/// Why a process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// As it was given.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server broke.
    #[error("serving on {address} failed: {reason}")]
    Serve {
        /// Where it served.
        address: SocketAddr,
        /// What broke.
        reason: String,
    },
}

/// A bound port.
#[derive(Debug)]
pub struct Socket {
    listener: TcpListener,
    address: SocketAddr,
}

impl Socket {
    /// Binds `address`, `host:port`; port 0 takes a free one.
    ///
    /// # Errors
    /// Names the address, if it is none or is in use.
    pub async fn bind(address: &str) -> Result<Socket, ServeError> {
        let fail = |source| ServeError::Bind { address: address.into(), source };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        let bound = listener.local_addr().map_err(fail)?;
        Ok(Socket { listener, address: bound })
    }

    /// The address that was bound, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The gRPC services of one process.
#[derive(Debug, Default)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    announcements: Vec<String>,
}

impl Services {
    /// Adds a service. Set its `max_decoding_message_size` to [`crate::MAX_MESSAGE_BYTES`] first.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
        S: NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(service);
        self
    }

    /// Adds a line to be printed after the address of the services: where else the process listens.
    #[must_use]
    pub fn announcing(mut self, line: String) -> Self {
        self.announcements.push(line);
        self
    }
}

/// Serves until the drain is over. Once bound, prints the line `listening on http://ADDRESS` to stdout, before any other:
/// whoever starts processes on port 0 reads it.
///
/// Beside the services themselves it serves `grpc.health.v1` (NOT_SERVING while draining) and reflection. When the drain
/// starts, no connection and no stream is accepted any more; handlers see the drain themselves and finish, for at most
/// [`Drain::deadline`].
///
/// # Errors
/// If the server breaks.
pub async fn serve(socket: Socket, services: Services, drain: &Drain) -> Result<(), ServeError> {
    let Socket { listener, address } = socket;
    let fail = |error: &dyn std::error::Error| ServeError::Serve { address, reason: error.to_string() };
    let Services { routes, names, announcements } = services;
    let (health, health_service) = tonic_health::server::health_reporter();
    for name in &names {
        health.set_service_status(*name, ServingStatus::Serving).await;
    }
    let routes: Routes = routes.routes().add_service(health_service);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = routes.add_service(reflection().build_v1().map_err(|error| fail(&error))?);
    let routes = routes.add_service(reflection().build_v1alpha().map_err(|error| fail(&error))?);

    let draining = async {
        drain.started().await;
        health.set_service_status("", ServingStatus::NotServing).await;
        for name in &names {
            health.set_service_status(*name, ServingStatus::NotServing).await;
        }
    };
    let server = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), draining);

    announce(address, &announcements);
    tokio::select! {
        served = server => served.map_err(|error| fail(&error)),
        () = async { drain.started().await; tokio::time::sleep(drain.deadline()).await } => {
            tracing::warn!("cut off what was still in flight after {} s of draining", drain.deadline().as_secs_f64());
            Ok(())
        }
    }
}

#[allow(clippy::print_stdout)]
fn announce(address: SocketAddr, more: &[String]) {
    use std::io::Write;
    tracing::info!(%address, "listening");
    // Whoever started the process may have closed the pipe; that is no reason to stop serving.
    let mut stdout = std::io::stdout().lock();
    let mut lines = vec![format!("listening on http://{address}")];
    lines.extend_from_slice(more);
    let _ = writeln!(stdout, "{}", lines.join("\n")).and_then(|()| stdout.flush());
}

/// Limits the live streams of a service; each holds a window of items in memory.
#[derive(Clone, Debug)]
pub struct Admission {
    free: Arc<Semaphore>,
    limit: usize,
}

impl Admission {
    /// At most `limit` streams at a time.
    pub fn new(limit: usize) -> Self {
        Admission { free: Arc::new(Semaphore::new(limit)), limit }
    }

    /// A place, to be held as long as the stream lives.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED if all are taken; a [`crate::Hop`] tries again later.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full = |_| Status::resource_exhausted(format!("all {} streams are taken", self.limit));
        self.free.clone().try_acquire_owned().map_err(full)
    }
}

/// The incoming side of a stream, as a handler should read it.
#[derive(Debug)]
pub struct Incoming<T> {
    stream: Streaming<T>,
    drain: Drain,
    inactivity: Duration,
}

impl<T> Incoming<T> {
    /// Reads `stream` until the peer ends it, the drain starts, or nothing has come for five minutes.
    pub fn new(stream: Streaming<T>, drain: Drain) -> Self {
        Incoming { stream, drain, inactivity: INACTIVITY }
    }

    /// The next message; `None` when the peer has sent its last or the process drains. Safe to cancel.
    ///
    /// # Errors
    /// What broke the stream, DEADLINE_EXCEEDED if nothing came for too long.
    pub async fn next(&mut self) -> Result<Option<T>, Status> {
        tokio::select! {
            biased;
            () = self.drain.started() => Ok(None),
            next = tokio::time::timeout(self.inactivity, self.stream.message()) => next.unwrap_or_else(|_| {
                Err(Status::deadline_exceeded(format!("nothing came for {} s", self.inactivity.as_secs())))
            }),
        }
    }

    /// What to end the outgoing side with once all that was taken is answered: nothing if the peer ended the stream,
    /// [`Drain::status`] if the process drains.
    pub fn ending(&self) -> Option<Status> {
        self.drain.has_started().then(Drain::status)
    }
}

/// How long a status may take to be read.
const ENDING: Duration = Duration::from_secs(5);
/// Messages between a handler and its connection.
const OUTGOING: usize = 32;

/// The outgoing side of a stream, as a handler should write it.
#[derive(Debug)]
pub struct Outgoing<T> {
    sender: mpsc::Sender<Result<T, Status>>,
    inactivity: Duration,
}

impl<T> Outgoing<T> {
    /// Both ends: what the handler writes to, and what it returns to the server.
    pub fn new() -> (Self, ReceiverStream<Result<T, Status>>) {
        let (sender, stream) = mpsc::channel(OUTGOING);
        (Outgoing { sender, inactivity: INACTIVITY }, ReceiverStream::new(stream))
    }

    /// Sends a message; waits while the peer does not read.
    ///
    /// # Errors
    /// CANCELLED if the peer is gone, DEADLINE_EXCEEDED if it has not read for five minutes.
    pub async fn send(&self, message: T) -> Result<(), Status> {
        let message = match self.sender.try_send(Ok(message)) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Full(message)) => message,
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Status::cancelled("the peer is gone")),
        };
        match tokio::time::timeout(self.inactivity, self.sender.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the peer is gone")),
            Err(_) => {
                Err(Status::deadline_exceeded(format!("nothing was read for {} s", self.inactivity.as_secs_f64())))
            }
        }
    }

    /// Returns once the peer is gone. Safe to cancel.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// Ends the stream with `status`. A peer that does not read it within five seconds sees a stream that just ends,
    /// which a [`crate::Hop`] takes for lost.
    pub async fn end(self, status: Status) {
        let _ = tokio::time::timeout(ENDING, self.sender.send(Err(status))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_stream::StreamExt;

    #[tokio::test]
    async fn a_peer_that_does_not_read_holds_the_writer_back_and_is_given_up() {
        let (mut outgoing, mut stream) = Outgoing::new();
        outgoing.inactivity = Duration::from_millis(20);
        for message in 0..OUTGOING {
            outgoing.send(message).await.unwrap();
        }
        assert_eq!(outgoing.send(99).await.unwrap_err().code(), tonic::Code::DeadlineExceeded);
        assert_eq!(stream.next().await.unwrap().unwrap(), 0);
        outgoing.send(OUTGOING).await.unwrap();
        drop(stream);
        assert_eq!(outgoing.send(0).await.unwrap_err().code(), tonic::Code::Cancelled);
    }
}
