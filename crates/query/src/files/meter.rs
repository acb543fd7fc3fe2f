//! What a run counts and shares: bytes read, the memory that whole texts may
//! take, and buffers to use again (fresh memory costs more than writing to it).

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How large what is inflated as a whole may be, which is faster than a stream.
#[derive(Debug, Clone, Copy)]
pub struct WholeLimits {
    /// Largest gzip file that is read as a whole.
    pub file_bytes: u64,
    /// Largest text that is inflated as a whole.
    pub text_bytes: usize,
    /// Memory for such texts, all together.
    pub all_bytes: usize,
}

impl Default for WholeLimits {
    /// Little enough for programs that promise to stay below 64 MiB.
    fn default() -> Self {
        Self { file_bytes: 6 << 20, text_bytes: 12 << 20, all_bytes: 24 << 20 }
    }
}

#[derive(Debug, Default)]
pub struct Meter {
    pub whole: WholeLimits,
    /// Bytes of files and pipes as they lie there, compressed or not.
    read_bytes: AtomicU64,
    borrowed_bytes: AtomicUsize,
    free: Mutex<Vec<Vec<u8>>>,
}

impl Meter {
    pub fn with_whole(whole: WholeLimits) -> Self {
        Self { whole, ..Self::default() }
    }

    pub fn add(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    /// A buffer of `bytes` zeros or old text; `None` if too much is lent.
    pub fn borrow(&self, bytes: usize) -> Option<Vec<u8>> {
        let lend = |lent: usize| Some(lent + bytes).filter(|&lent| lent <= self.whole.all_bytes);
        self.borrowed_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lend).ok()?;
        let mut buffer = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        buffer.resize(bytes, 0);
        Some(buffer)
    }

    /// Takes back what [`borrow`](Self::borrow) gave, with its length.
    pub fn give_back(&self, buffer: Vec<u8>) {
        let lent = self.borrowed_bytes.fetch_sub(buffer.len(), Ordering::Relaxed) - buffer.len();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = free.iter().map(Vec::capacity).sum();
        if lent + kept + buffer.capacity() <= self.whole.all_bytes {
            free.push(buffer);
        }
    }
}

/// A reader that counts.
pub struct Metered<R> {
    source: R,
    meter: Arc<Meter>,
}

impl<R> Metered<R> {
    pub fn new(source: R, meter: Arc<Meter>) -> Self {
        Self { source, meter }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.meter.add(count as u64);
        Ok(count)
    }
}

/// Buffers that went from workers to the output and may come back.
#[derive(Debug, Default)]
pub struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    /// More than are ever on the way at a time.
    const KEPT: usize = 4;
    /// A larger one was the exception.
    const KEPT_BYTES: usize = 4 << 20;

    /// An empty buffer.
    pub fn take(&self) -> Vec<u8> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < Self::KEPT && buffer.capacity() <= Self::KEPT_BYTES {
            free.push(buffer);
        }
    }
}
