//! Where records go that were put: to whoever delivers them.

/// Keeps records of streams until they are delivered. Calls block on the disk.
pub trait Intake: Send + Sync {
    /// Keeps records durably: a crash after `Ok` does not lose them. `stream` is
    /// `DeliveryStream::key`. The error says why there is no room, for the log.
    fn put(&self, stream: &str, records: &[Vec<u8>]) -> Result<(), String>;

    /// Drops what a deleted stream still has.
    fn forget(&self, stream: &str);

    /// Delivers what a stream has, and waits for it a while: emulators do so at
    /// once.
    fn flush(&self, stream: &str);
}

/// A server that keeps none.
pub struct NoIntake;

impl Intake for NoIntake {
    fn put(&self, _: &str, _: &[Vec<u8>]) -> Result<(), String> {
        Err("this server delivers no streams".to_owned())
    }

    fn forget(&self, _: &str) {}

    fn flush(&self, _: &str) {}
}
