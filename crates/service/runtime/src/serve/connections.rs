//! The connections of a server: their limit, the time within which a new one must send data, and their byte counts.

use crate::observe::{Counter, Gauge, Metrics};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;
use tonic::transport::server::Connected;

/// The default limit of open connections of a server; further ones are closed at once. It is far more than peers open,
/// and below the usual limit of 1,024 open files in a process, which includes the journal and connections to other
/// peers.
pub const CONNECTIONS: usize = 896;
/// The time within which a new connection must send its first byte, or it is closed and frees its place.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// The pause after the system failed to accept a connection, for example for lack of file descriptors. To retry at once
/// would occupy a core.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// The metrics of a server's connections.
#[derive(Clone, Debug)]
struct Meter {
    open: Gauge,
    accepted: Counter,
    refused: Counter,
    received_bytes: Counter,
    sent_bytes: Counter,
}

impl Meter {
    fn register(observer: &Metrics) -> Self {
        Meter {
            open: observer.gauge("latentlink_server_connections", "Connections that are open"),
            accepted: observer.counter("latentlink_server_connections_accepted", "Connections that were accepted"),
            refused: observer.counter(
                "latentlink_server_connections_refused",
                "Connections that were closed at once because there were too many",
            ),
            received_bytes: observer.counter("latentlink_server_received_bytes", "Bytes read from connections"),
            sent_bytes: observer.counter("latentlink_server_sent_bytes", "Bytes written to connections"),
        }
    }
}

/// The stream of connections that a server accepts, up to a limit of open ones.
pub(super) struct Connections {
    listener: TcpListener,
    places: Arc<Semaphore>,
    limit: usize,
    meter: Meter,
    first_word: Duration,
    /// The pause after the system failed to accept a connection; `None` if there is none.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether the last connection was closed because of the limit, so that only the first one is logged.
    full: bool,
}

impl Connections {
    /// Accepts the connections of `listener`, at most `limit` at a time, and counts them in the metrics `observer`.
    pub(super) fn new(listener: TcpListener, limit: usize, observer: &Metrics) -> Self {
        let places = Arc::new(Semaphore::new(limit));
        let meter = Meter::register(observer);
        Connections { listener, places, limit, meter, first_word: FIRST_WORD, pause: None, full: false }
    }
}

impl Stream for Connections {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let stream = match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    self.pause = Some(Box::pin(sleep(REFUSED_PAUSE)));
                    continue;
                }
            };
            let Ok(place) = self.places.clone().try_acquire_owned() else {
                self.meter.refused.inc();
                if !std::mem::replace(&mut self.full, true) {
                    tracing::warn!("all {} connections are taken; more are closed as they come", self.limit);
                }
                continue;
            };
            self.full = false;
            // An error means that the peer has disconnected already, which the next read reports.
            let _ = stream.set_nodelay(true);
            self.meter.accepted.inc();
            self.meter.open.inc();
            return Poll::Ready(Some(Ok(Connection {
                stream,
                meter: self.meter.clone(),
                silence: Some(Box::pin(sleep(self.first_word))),
                _place: place,
            })));
        }
    }
}

/// An accepted connection. It holds its place within the limit until it is dropped.
pub(super) struct Connection {
    stream: TcpStream,
    meter: Meter,
    /// The time limit for the first byte; `None` once a byte has arrived.
    silence: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.meter.open.dec();
    }
}

impl Connected for Connection {
    type ConnectInfo = <TcpStream as Connected>::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.silence = None;
            self.meter.received_bytes.inc_by(bytes as u64);
        }
        if read.is_pending()
            && let Some(silence) = &mut self.silence
        {
            ready!(silence.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl Connection {
    fn count_sent(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.meter.sent_bytes.inc_by(bytes as u64);
        }
        written
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.count_sent(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.count_sent(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_stream::StreamExt;

    async fn bound(limit: usize) -> (Connections, std::net::SocketAddr, Metrics) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let observer = Metrics::new("test");
        (Connections::new(listener, limit, &observer), address, observer)
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_are_closed_until_one_ends() {
        let (mut connections, address, observer) = bound(2).await;
        let connect = || TcpStream::connect(address);
        let (_a, _b) = (connect().await.unwrap(), connect().await.unwrap());
        let first = connections.next().await.unwrap().unwrap();
        let second = connections.next().await.unwrap().unwrap();
        let mut turned_away = connect().await.unwrap();
        let ended = tokio::select! {
            _ = connections.next() => panic!("a third connection was accepted"),
            // Closed, or reset if there was unread data when it was closed.
            read = turned_away.read_u8() => read.is_err(),
        };
        assert!(ended);
        drop(first);
        let _d = connect().await.unwrap();
        let third = connections.next().await.unwrap().unwrap();
        let page = observer.page();
        assert!(page.contains("latentlink_server_connections 2\n"), "{page}");
        assert!(page.contains("latentlink_server_connections_refused_total 1\n"), "{page}");
        drop((second, third));
        assert!(observer.page().contains("latentlink_server_connections 0\n"));
    }

    #[tokio::test]
    async fn who_says_nothing_is_closed_and_who_spoke_is_not() {
        let (mut connections, address, observer) = bound(2).await;
        connections.first_word = Duration::from_millis(50);
        let mut speaker = TcpStream::connect(address).await.unwrap();
        speaker.write_all(b"abc").await.unwrap();
        let mut heard = connections.next().await.unwrap().unwrap();
        let mut word = [0; 3];
        heard.read_exact(&mut word).await.unwrap();
        let _silent = TcpStream::connect(address).await.unwrap();
        let mut unheard = connections.next().await.unwrap().unwrap();
        assert_eq!(unheard.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // A connection that has sent its first byte may then be silent for longer.
        speaker.write_all(b"d").await.unwrap();
        assert_eq!(heard.read_u8().await.unwrap(), b'd');
        heard.write_all(b"ok").await.unwrap();
        let page = observer.page();
        assert!(page.contains("latentlink_server_received_bytes_total 4\n"), "{page}");
        assert!(page.contains("latentlink_server_sent_bytes_total 2\n"), "{page}");
    }
}
