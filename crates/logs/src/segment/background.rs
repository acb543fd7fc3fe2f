//! The thread that turns closed log files into segments and merges those.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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
        let heard = bell.clone();
        let run = move || {
            let mut failed = false;
            while heard.wait(failed) {
                let Some(store) = store.upgrade() else { return };
                let done = store.flush().and_then(|()| store.merge());
                if let Err(error) = &done {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "log events stay in the log files for now"
                    );
                }
                failed = done.is_err();
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
