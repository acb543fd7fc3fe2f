//! Live Tail sessions: events as they are stored, pushed to who listens.
//!
//! A writer only puts what matches into a session's buffer; a task of the
//! session sends it on. An update has at most [`UPDATE_EVENTS`] events; what
//! does not fit is left out and the update says `sampled`.
//!
//! Source: CloudWatch Logs API reference, StartLiveTail.

use super::event_stream;
use axum::body::Bytes;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use weir_logs::pattern::Pattern;
use weir_logs::{Listener, Scope, Stored};

/// The most events of one update.
const UPDATE_EVENTS: usize = 500;
/// Sessions at once of one account and region.
const MAX_SESSIONS: usize = 15;
/// An update without events comes this often, so that a client that is gone is noticed.
const IDLE: Duration = Duration::from_secs(1);
/// What comes within this time goes into one update.
const GATHER: Duration = Duration::from_millis(50);
/// A session ends after three hours.
const LONGEST: Duration = Duration::from_secs(3 * 3600);

/// What a session wants.
pub struct Wanted {
    pub scope: Scope,
    /// ARNs by name.
    pub groups: Vec<(String, String)>,
    pub streams: Vec<String>,
    pub stream_prefixes: Vec<String>,
    pub pattern: Pattern,
}

struct Session {
    wanted: Wanted,
    buffer: Mutex<Buffer>,
    news: Notify,
}

#[derive(Default)]
struct Buffer {
    events: Vec<Value>,
    sampled: bool,
}

/// The sessions of a server.
#[derive(Default)]
pub struct LiveTail(Mutex<Vec<Weak<Session>>>);

impl Listener for LiveTail {
    fn stored(&self, batch: &Stored<'_>) {
        for session in self.sessions() {
            session.hear(batch);
        }
    }
}

impl LiveTail {
    fn sessions(&self) -> Vec<Arc<Session>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|session| session.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    }

    /// Starts a session on the current runtime: its frames. `None`: there are
    /// too many. It ends when the receiver is dropped.
    pub fn start(&self, wanted: Wanted, start: &Value) -> Option<mpsc::Receiver<Bytes>> {
        let session = Arc::new(Session { wanted, buffer: Mutex::default(), news: Notify::new() });
        {
            // Counted and added under one lock.
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|session| session.strong_count() > 0);
            let of_account = |s: &Arc<Session>| s.wanted.scope == session.wanted.scope;
            if all.iter().filter_map(Weak::upgrade).filter(of_account).count() >= MAX_SESSIONS {
                return None;
            }
            all.push(Arc::downgrade(&session));
        }
        let (sender, receiver) = mpsc::channel(4);
        let first =
            [event_stream::event("initial-response", &json!({})), event_stream::event("sessionStart", start)];
        tokio::spawn(async move { session.run(first.concat(), &sender).await });
        Some(receiver)
    }
}

impl Session {
    fn hear(&self, batch: &Stored<'_>) {
        let wanted = &self.wanted;
        let Some((_, arn)) = wanted.groups.iter().find(|(name, _)| name == batch.group) else { return };
        let all = wanted.streams.is_empty() && wanted.stream_prefixes.is_empty();
        let named = || wanted.streams.iter().any(|stream| stream == batch.stream);
        let begins = || wanted.stream_prefixes.iter().any(|prefix| batch.stream.starts_with(prefix.as_str()));
        if *batch.scope != wanted.scope || !(all || named() || begins()) {
            return;
        }
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = buffer.events.len();
        for event in batch.events.iter().filter(|event| wanted.pattern.matches(&event.message)) {
            if buffer.events.len() >= UPDATE_EVENTS {
                buffer.sampled = true;
                break;
            }
            buffer.events.push(json!({
                "logStreamName": batch.stream,
                "logGroupIdentifier": arn,
                "message": event.message,
                "timestamp": event.timestamp.0,
                "ingestionTime": batch.ingestion.0,
            }));
        }
        let grew = buffer.events.len() > before;
        drop(buffer);
        if grew {
            self.news.notify_one();
        }
    }

    async fn run(&self, first: Vec<u8>, sender: &mpsc::Sender<Bytes>) {
        let ends = tokio::time::Instant::now() + LONGEST;
        let mut frame = Bytes::from(first);
        while sender.send(frame).await.is_ok() {
            if tokio::time::Instant::now() >= ends {
                let text = "The live tail session has timed out.";
                let end = event_stream::exception("SessionTimeoutException", text);
                // Whether it arrives or not, the session ends.
                let _ = sender.send(end.into()).await;
                return;
            }
            let news = async {
                if tokio::time::timeout(IDLE, self.news.notified()).await.is_ok() {
                    tokio::time::sleep(GATHER).await;
                }
            };
            tokio::select! {
                () = news => {}
                // The client is gone: its place is free at once.
                () = sender.closed() => return,
            }
            let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
            let Buffer { events, sampled } = std::mem::take(&mut *buffer);
            drop(buffer);
            let update = json!({"sessionMetadata": {"sampled": sampled}, "sessionResults": events});
            frame = event_stream::event("sessionUpdate", &update).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(tail: &LiveTail) -> Option<mpsc::Receiver<Bytes>> {
        let wanted = Wanted {
            scope: Scope::new("123456789012", "us-east-1"),
            groups: Vec::new(),
            streams: Vec::new(),
            stream_prefixes: Vec::new(),
            pattern: Pattern::parse("").unwrap(),
        };
        tail.start(wanted, &json!({}))
    }

    /// The clock stands still: no idle update tells that a client is gone.
    #[tokio::test(start_paused = true)]
    async fn fifteen_at_once_and_a_place_is_free_as_soon_as_one_leaves() {
        let tail = LiveTail::default();
        let runtime = tokio::runtime::Handle::current();
        let mut held: Vec<_> = std::thread::scope(|scope| {
            let begin = || {
                let _within = runtime.enter();
                start(&tail)
            };
            let threads: Vec<_> = (0..2 * MAX_SESSIONS).map(|_| scope.spawn(begin)).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(held.len(), MAX_SESSIONS);
        assert!(held[0].recv().await.is_some(), "it has begun");
        drop(held.remove(0));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(start(&tail).is_some());
    }
}
