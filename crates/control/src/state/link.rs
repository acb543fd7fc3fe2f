//! Connections to PostgreSQL: how they are made, where they run, and how a
//! thread waits for them.

use super::postgres::CHANNEL;
use crate::error::{ControlError, Result};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Statement};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a silent peer is waited for before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(15);

/// Settings of every connection. Locks are waited for 10 s; a server that stops
/// amid a transaction (a debugger, a frozen machine) loses it after 30 s, so
/// that the others go on.
const SESSION: &str = "SET statement_timeout = '60s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = 'warning'";

/// Makes connections to one database.
pub(super) struct Links {
    config: Config,
    /// Where connections run. `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// A connection.
pub(super) struct Link {
    pub client: Client,
    statements: RefCell<HashMap<String, Statement>>,
}

impl Link {
    pub(super) fn prepared(&self, sql: &str) -> std::result::Result<Statement, tokio_postgres::Error> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let statement = wait(self.client.prepare(sql))?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Links {
    /// Reads the URL; nothing is connected yet.
    ///
    /// Errors: `Fault` with a text for the person who wrote the URL.
    pub(super) fn new(url: &str) -> Result<Self> {
        let fault = |message: String| ControlError::fault("InvalidParameterValue", message);
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            // The URL itself may hold a password.
            let why = std::error::Error::source(&error).map(ToString::to_string);
            fault(format!("the URL of the state is not one of PostgreSQL: {}", why.unwrap_or_default()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(fault(
                "the URL of the state names no host: postgres://USER@HOST:PORT/DATABASE, or \
                 postgres:///DATABASE?host=/DIRECTORY for a socket"
                    .into(),
            ));
        }
        if config.get_ssl_mode() == SslMode::Require {
            return Err(fault(
                "sslmode=require: TLS to PostgreSQL is not supported; use a socket, a \
                 private network or a tunnel"
                    .into(),
            ));
        }
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        config.application_name("weir").connect_timeout(CONNECT);
        config.keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("postgres")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| ControlError::Unreachable {
            server: "PostgreSQL".into(),
            reason: error.to_string(),
        })?;
        Ok(Self { config, runtime: Some(runtime) })
    }

    /// Host and port, without user and password.
    pub(super) fn server(&self) -> String {
        let host = self.config.get_hosts().first().map_or_else(String::new, |host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("PostgreSQL at {host}:{port}")
    }

    /// Errors: `Unreachable`.
    pub(super) fn connect(&self) -> Result<Link> {
        let (heard, _) = channel();
        self.open(heard)
    }

    /// A connection that hears what servers tell each other. The receiver ends
    /// with the connection.
    pub(super) fn listen(&self) -> Result<(Link, Receiver<String>)> {
        let (heard, told) = channel();
        let link = self.open(heard)?;
        wait(link.client.batch_execute(&format!("LISTEN {CHANNEL}")))
            .map_err(|error| self.unreachable(&error))?;
        Ok((link, told))
    }

    fn open(&self, heard: Sender<String>) -> Result<Link> {
        let Some(runtime) = &self.runtime else {
            return Err(ControlError::Unreachable { server: self.server(), reason: "stopping".into() });
        };
        let (sender, made) = channel();
        let config = self.config.clone();
        runtime.spawn(async move {
            let connected = tokio::time::timeout(CONNECT, config.connect(NoTls)).await;
            let (client, mut connection) = match connected {
                Ok(Ok(both)) => both,
                Ok(Err(error)) => return drop(sender.send(Err(Some(error)))),
                Err(_) => return drop(sender.send(Err(None))),
            };
            drop(sender.send(Ok(client)));
            drop(sender);
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                match message {
                    Ok(AsyncMessage::Notification(told)) => drop(heard.send(told.payload().to_owned())),
                    Ok(AsyncMessage::Notice(notice)) => tracing::debug!(%notice, "PostgreSQL says"),
                    Ok(_) => {}
                    // Whoever uses the connection gets an error of their own.
                    Err(error) => return tracing::debug!(%error, "a connection to PostgreSQL is gone"),
                }
            }
        });
        let client = match made.recv() {
            Ok(Ok(client)) => client,
            Ok(Err(Some(error))) => return Err(self.unreachable(&error)),
            Ok(Err(None)) | Err(_) => {
                let reason = format!("no answer within {} s", CONNECT.as_secs());
                return Err(ControlError::Unreachable { server: self.server(), reason });
            }
        };
        wait(client.batch_execute(SESSION)).map_err(|error| self.unreachable(&error))?;
        Ok(Link { client, statements: RefCell::default() })
    }

    fn unreachable(&self, error: &tokio_postgres::Error) -> ControlError {
        let mut reason = match error.as_db_error() {
            Some(told) => told.message().to_owned(),
            None => error.to_string(),
        };
        if let (None, Some(source)) = (error.as_db_error(), std::error::Error::source(error)) {
            reason = format!("{reason}: {source}");
        }
        ControlError::Unreachable { server: self.server(), reason }
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        // The last owner may be a thread of another runtime, which must not block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread, whatever runs it. Only for what [`Links`] connects:
/// nothing else may be needed from this thread to finish `work`.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        match work.as_mut().poll(&mut cx) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}
