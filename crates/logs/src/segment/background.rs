//! The thread that turns closed log files into segments and merges those.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::LogsError;
use crate::store::{Inner, lock};

/// After a failure (a full disk): the log files keep everything meanwhile.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Wakes the thread.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Default)]
struct Rung {
    work: bool,
    stop: bool,
}

impl Bell {
    pub fn wake(&self) {
        lock(&self.rung).work = true;
        self.changed.notify_all();
    }

    fn stop(&self) {
        lock(&self.rung).stop = true;
        self.changed.notify_all();
    }

    /// Waits for work, or until the work that failed is due again. `false`: the end.
    fn wait(&self, failed: bool) -> bool {
        let mut rung = lock(&self.rung);
        while !rung.stop && !rung.work {
            if failed {
                let waited = self.changed.wait_timeout(rung, AGAIN_AFTER);
                rung = waited.unwrap_or_else(PoisonError::into_inner).0;
                break;
            }
            rung = self.changed.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
        rung.work = false;
        !rung.stop
    }
}

pub(crate) struct Background {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Without a thread (the machine has none left) events stay in the log files.
    pub fn start(bell: Arc<Bell>, store: Weak<Inner>) -> Self {
        Self::run(bell, move || {
            let store = store.upgrade()?;
            Some(store.flush().and_then(|()| store.merge()))
        })
    }

    /// `None` of the work ends the thread.
    fn run(
        bell: Arc<Bell>,
        mut work: impl FnMut() -> Option<Result<(), LogsError>> + Send + 'static,
    ) -> Self {
        let heard = bell.clone();
        let run = move || {
            let mut failed = false;
            while heard.wait(failed) {
                // A panic ends one attempt, not the thread.
                failed = true;
                match panic::catch_unwind(AssertUnwindSafe(&mut work)) {
                    Ok(None) => return,
                    Ok(Some(Ok(()))) => failed = false,
                    Ok(Some(Err(error))) => tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "log events stay in the log files for now"
                    ),
                    Err(_) => tracing::error!("the upkeep of log segments panicked, and is tried again"),
                }
            }
        };
        let thread = thread::Builder::new().name("weir-logs".into()).spawn(run);
        if let Err(error) = &thread {
            tracing::warn!(%error, "no thread for log segments: events stay in the log files");
        }
        Self { bell, thread: thread.ok() }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.bell.stop();
        if let Some(thread) = self.thread.take().filter(|own| own.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the thread for log segments panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_panic_ends_one_attempt_and_not_the_thread() {
        let bell = Arc::new(Bell::default());
        let (told, heard) = mpsc::channel();
        let mut attempt = 0;
        let background = Background::run(bell.clone(), move || {
            attempt += 1;
            told.send(attempt).ok()?;
            assert_ne!(attempt, 1, "a fault of the upkeep");
            Some(Ok(()))
        });
        for attempt in [1, 2] {
            bell.wake();
            assert_eq!(heard.recv_timeout(Duration::from_secs(60)), Ok(attempt));
        }
        drop(background);
    }
}
