//! Connections of clients: how many, how slow, and how they end.
//!
//! For: a bound on what clients can hold open. A connection that sends no whole
//! header in time, or takes nothing of its answer, is closed; one too many is
//! answered 503 and closed, so that clients try again. Bodies are bounded where
//! they are read (`weir_api::intake`).
//!
//! Not for: what requests mean.

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tower::ServiceExt;
use tracing::{debug, warn};

/// What clients may hold open.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub connections: usize,
    /// Until a whole header is there, from the connection's beginning or the end
    /// of the answer before.
    pub header: Duration,
    /// Until a client takes some more of its answer.
    pub answer: Duration,
}

/// Farewells at once; beyond them connections are closed without one.
const FAREWELLS: usize = 64;

/// How long a farewell waits for the client's own end.
const FAREWELL: Duration = Duration::from_secs(1);

/// In the form of EC2, IAM and STS, whose clients read it; SDKs of JSON
/// services go by the status.
const TOO_MANY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>\
    <Code>ServiceUnavailable</Code><Message>Too many connections. Please try again.</Message>\
    </Error></Errors></Response>";

/// Serves until `stop` is true and the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let (places, farewells) =
        (Arc::new(Semaphore::new(limits.connections)), Arc::new(Semaphore::new(FAREWELLS)));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            stopped = stop.wait_for(|stop| *stop) => {
                if stopped.is_err() {
                    warn!("the server's owner is gone");
                }
                break;
            }
        };
        let (stream, peer) = match accepted {
            Ok(both) => both,
            Err(error) => {
                // Out of file descriptors, most likely: some are closed in time.
                warn!(%error, "cannot accept connections");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            warn!(%peer, connections = limits.connections, "too many connections");
            if let Ok(turn) = farewells.clone().try_acquire_owned() {
                tokio::spawn(async move {
                    turn_away(stream).await;
                    drop(turn);
                });
            }
            continue;
        };
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY");
        }
        let router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            router.clone().oneshot(request)
        });
        let mut protocol = http1::Builder::new();
        // A client that has said everything may close its side and still be answered.
        protocol.timer(TokioTimer::new()).header_read_timeout(limits.header).half_close(true);
        let guarded = Guarded::new(stream, limits.answer);
        let connection = graceful.watch(protocol.serve_connection(TokioIo::new(guarded), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%peer, %error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

/// Answers without reading, and waits a moment for the client to close, so that
/// what it has sent does not reset the connection before it has read.
async fn turn_away(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/xml;charset=UTF-8\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n{TOO_MANY}",
        TOO_MANY.len()
    );
    let farewell = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        let mut left = [0; 4096];
        while stream.read(&mut left).await? > 0 {}
        io::Result::Ok(())
    };
    if !matches!(timeout(FAREWELL, farewell).await, Ok(Ok(()))) {
        debug!("a client that was turned away did not close");
    }
}

/// A stream whose writes fail when the peer takes nothing for too long.
struct Guarded {
    stream: TcpStream,
    patience: Duration,
    /// Since when a write waits, plus the patience.
    deadline: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl Guarded {
    fn new(stream: TcpStream, patience: Duration) -> Self {
        let deadline = Box::pin(sleep_until(Instant::now()));
        Self { stream, patience, deadline, is_waiting: false }
    }

    fn guard(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.is_waiting = false;
            return written;
        }
        if !std::mem::replace(&mut self.is_waiting, true) {
            self.deadline.as_mut().reset(Instant::now() + self.patience);
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, to)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, from);
        self.guard(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, from);
        self.guard(cx, written)
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
