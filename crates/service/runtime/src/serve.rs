//! How every process serves: a bound port, health, reflection, limits on what a peer may ask, and an orderly end.

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

/// HTTP/2 streams on one connection.
const STREAMS_PER_CONNECTION: u32 = 256;

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

/// The gRPC services of one process, and what it shows of itself.
#[derive(Debug)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    announcements: Vec<String>,
    observer: Observer,
    connections: usize,
}

impl Default for Services {
    /// None yet, of a process that nobody observes.
    fn default() -> Self {
        Services::of(Observer::new("service"))
    }
}

impl Services {
    /// None yet, of the process that `observer` sees.
    pub fn of(observer: Observer) -> Self {
        Services {
            routes: RoutesBuilder::default(),
            names: Vec::new(),
            announcements: Vec::new(),
            observer,
            connections: CONNECTIONS,
        }
    }

    /// With another limit of connections than [`CONNECTIONS`].
    #[must_use]
    pub fn connections(mut self, limit: usize) -> Self {
        self.connections = limit;
        self
    }

    /// Adds a service. Set its `max_decoding_message_size` to [`wire::MAX_MESSAGE_BYTES`] first.
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
/// Beside the services themselves it serves `grpc.health.v1` (NOT_SERVING while draining), reflection, and the metrics
/// as `GET /metrics`, over HTTP/2 and HTTP/1.1; nothing else is answered over HTTP/1.1. At most [`CONNECTIONS`] are
/// open at a time. When the drain starts, no connection and no stream is accepted any more; handlers see the drain
/// themselves and finish, for at most [`Drain::deadline`]. At the end the spans that wait to be exported are given a
/// moment.
///
/// # Errors
/// If the server breaks.
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

/// HTTP/1.1 is for reading metrics alone. It is what a browser speaks, and any page that it shows could otherwise send
/// a call as a plain POST to a service on loopback, which no cross-origin check would stop.
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
    // Whoever started the process may have closed the pipe; that is no reason to stop serving.
    let mut stdout = std::io::stdout().lock();
    let mut lines = vec![format!("listening on http://{address}")];
    lines.extend_from_slice(more);
    let _ = writeln!(stdout, "{}", lines.join("\n")).and_then(|()| stdout.flush());
}
