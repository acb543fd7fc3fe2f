//! Hearing of other servers' changes.
//!
//! Every commit on PostgreSQL notifies `INSTANCE GENERATION`. A thread listens
//! and tells the listener what other instances committed; their own changes
//! are told by `transact`. After a lost connection it asks for the generation,
//! so that no change goes unheard.

use super::link::{Link, Links, wait};
use super::{SharedListener, tell};
use crate::error::Result;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Between two attempts to connect again.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the thread. It ends with the last owner of `links`.
pub(super) fn start(links: &Arc<Links>, instance: String, listener: SharedListener) -> Result<()> {
    // The first connection is made here: from the return on every change is heard.
    let first = links.listen()?;
    let seen = generation(&first.0)?;
    let links = Arc::downgrade(links);
    let thread = std::thread::Builder::new().name("state-changes".into());
    let started = thread.spawn(move || {
        let mut watch = Watch { instance, listener, seen };
        watch.hear(first);
        watch.connect_again(&links);
    });
    started.map(drop).map_err(|error| crate::ControlError::Unreachable {
        server: "PostgreSQL".into(),
        reason: format!("no thread to listen: {error}"),
    })
}

struct Watch {
    instance: String,
    listener: SharedListener,
    /// The newest generation that was heard of.
    seen: u64,
}

impl Watch {
    /// Until the connection is gone.
    fn hear(&mut self, (_link, told): (Link, std::sync::mpsc::Receiver<String>)) {
        for text in told {
            let Some((instance, generation)) = text.split_once(' ') else { continue };
            let Ok(generation) = generation.parse() else { continue };
            self.seen = self.seen.max(generation);
            if instance != self.instance {
                tell(&self.listener, generation);
            }
        }
    }

    fn connect_again(&mut self, links: &Weak<Links>) {
        let mut is_said = false;
        while let Some(links) = links.upgrade() {
            let connected = links.listen().and_then(|(link, told)| Ok((generation(&link)?, link, told)));
            drop(links);
            match connected {
                Ok((generation, link, told)) => {
                    tracing::info!("connected to the state's database again");
                    is_said = false;
                    // Some of these may be our own: told twice does no harm.
                    if generation > self.seen {
                        self.seen = generation;
                        tell(&self.listener, generation);
                    }
                    self.hear((link, told));
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!(%error, "the state's database is gone; trying again every second");
                    }
                    std::thread::sleep(RETRY);
                }
            }
        }
    }
}

fn generation(link: &Link) -> Result<u64> {
    let row = wait(link.client.query_one("SELECT value FROM meta WHERE key = 'generation'", &[]));
    let value = row.and_then(|row| row.try_get::<_, i64>(0)).map_err(|source| {
        crate::ControlError::State { operation: "read", source: super::store::StoreError::Postgres(source) }
    })?;
    Ok(value.unsigned_abs())
}
