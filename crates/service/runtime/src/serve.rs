//! Serving of gRPC services by a process: a bound port, health, reflection, limits for peers, and an orderly end.

mod connections;
mod streams;

pub use connections::CONNECTIONS;
pub use streams::{Admission, Incoming, Outgoing};

use crate::drain::Drain;
use crate::http2::{CONNECTION_WINDOW_BYTES, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, STREAM_WINDOW_BYTES};
use crate::observe::METRICS_PATH;
use crate::observer::Observer;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use connections::Connections;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::ServingStatus;

/// The largest number of concurrent HTTP/2 streams on one connection.
const STREAMS_PER_CONNECTION: u32 = 256;

/// Why a process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not valid or cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address as given.
        address: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The server failed while it was running or being set up.
    #[error("serving on {address} failed: {reason}")]
    Serve {
        /// The address on which it served.
        address: SocketAddr,
        /// The description of the failure.
        reason: String,
    },
}

/// A listening TCP socket, bound to an address.
#[derive(Debug)]
pub struct Socket {
    listener: TcpListener,
    address: SocketAddr,
}

impl Socket {
    /// Binds `address`, in the form `host:port`; port 0 selects a free one.
    ///
    /// # Errors
    /// [`ServeError::Bind`] if the address is not valid or is in use.
    pub async fn bind(address: &str) -> Result<Socket, ServeError> {
        let fail = |source| ServeError::Bind { address: address.into(), source };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        let bound = listener.local_addr().map_err(fail)?;
        Ok(Socket { listener, address: bound })
    }

    /// The address that was bound, with the port that was selected.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The gRPC services of one process, with its observer and its limit of connections.
#[derive(Debug)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    announcements: Vec<String>,
    observer: Observer,
    connections: usize,
}

impl Default for Services {
    /// An empty set of services, with an observer of its own for the role `service`.
    fn default() -> Self {
        Services::of(Observer::new("service"))
    }
}

impl Services {
    /// An empty set of services of the process with the metrics and traces of `observer`.
    pub fn of(observer: Observer) -> Self {
        Services {
            routes: RoutesBuilder::default(),
            names: Vec::new(),
            announcements: Vec::new(),
            observer,
            connections: CONNECTIONS,
        }
    }

    /// Sets the largest number of open connections, which is [`CONNECTIONS`] by default.
    #[must_use]
    pub fn connections(mut self, limit: usize) -> Self {
        self.connections = limit;
        self
    }

    /// Adds a gRPC service, whose `max_decoding_message_size` should be [`wire::MAX_MESSAGE_BYTES`].
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

    /// Adds a line that [`serve()`] prints after the address of the services, to announce other addresses of the
    /// process.
    #[must_use]
    pub fn announcing(mut self, line: String) -> Self {
        self.announcements.push(line);
        self
    }
}

/// Serves until the drain is over. First it prints the line `listening on http://ADDRESS` to stdout, from which a
/// program that starts processes on port 0 reads the port.
///
/// In addition to the services it serves `grpc.health.v1` (NOT_SERVING while draining), reflection, and the metrics as
/// `GET /metrics`. The metrics alone are also served over HTTP/1.1. The number of open connections is limited
/// ([`Services::connections()`]). When the drain starts, no new connection or stream is accepted; handlers finish by
/// themselves, and after [`Drain::deadline`] the rest is cut off. At the end, spans that wait for export are flushed.
///
/// # Errors
/// [`ServeError::Serve`] if the server cannot be set up or fails.
pub async fn serve(socket: Socket, services: Services, drain: &Drain) -> Result<(), ServeError> {
    let Socket { listener, address } = socket;
    let fail = |error: &dyn std::error::Error| ServeError::Serve { address, reason: error.to_string() };
    let Services { routes, names, announcements, observer, connections } = services;
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

    let routes = routes.into_axum_router().merge(observer.router()).layer(from_fn(no_calls_from_browsers));

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
        .accept_http1(true)
        .add_routes(Routes::from(routes))
        .serve_with_incoming_shutdown(Connections::new(listener, connections, &observer), draining);

    announce(address, &announcements);
    let served = tokio::select! {
        served = server => served.map_err(|error| fail(&error)),
        () = async { drain.started().await; tokio::time::sleep(drain.deadline()).await } => {
            tracing::warn!("cut off what was still in flight after {} s of draining", drain.deadline().as_secs_f64());
            Ok(())
        }
    };
    observer.tracer().flush().await;
    served
}

/// Rejects requests over HTTP/1.1, except for metrics. Otherwise any page in a browser could call a service on loopback
/// with a plain POST over HTTP/1.1, which no cross-origin check would stop.
async fn no_calls_from_browsers(request: Request, next: Next) -> Response {
    if request.version() < http::Version::HTTP_2 && request.uri().path() != METRICS_PATH {
        return (http::StatusCode::NOT_FOUND, "there is GET /metrics here, and gRPC over HTTP/2\n").into_response();
    }
    next.run(request).await
}

#[allow(clippy::print_stdout)]
fn announce(address: SocketAddr, more: &[String]) {
    use std::io::Write;
    tracing::info!(%address, "listening");
    // The pipe may be closed at its other end; that is no reason to stop serving.
    let mut stdout = std::io::stdout().lock();
    let mut lines = vec![format!("listening on http://{address}")];
    lines.extend_from_slice(more);
    let _ = writeln!(stdout, "{}", lines.join("\n")).and_then(|()| stdout.flush());
}
