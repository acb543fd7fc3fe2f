//! Memory of columns that comes back once nobody has the column any more.
//!
//! Fresh memory must be found and cleared, and is in no cache: a batch that was
//! dropped leaves what the next one is written to. Whoever keeps batches costs
//! nothing but that: their memory comes back later, or never.
//!
//! Not for: bounding memory. A pool keeps a few pieces and lets others go.

use arrow_buffer::{ArrowNativeType, Buffer, ToByteSlice};
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one column needs: batches are mostly dropped before the next one is made.
const KEPT: usize = 2;

/// Pieces of memory with old values in them.
pub(super) struct Pool<T> {
    free: Arc<Mutex<Vec<Vec<T>>>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { free: Arc::default() }
    }
}

impl<T: ArrowNativeType> Pool<T> {
    /// A piece with values that mean nothing; an empty one if none came back.
    pub(super) fn take(&self) -> Vec<T> {
        lock(&self.free).pop().unwrap_or_default()
    }

    /// The first `len` values as a buffer, whose memory comes back to the pool.
    pub(super) fn lend(&self, memory: Vec<T>, len: usize) -> Buffer {
        let lent = Lent { memory, free: Arc::clone(&self.free) };
        Buffer::from(Bytes::from_owner(lent)).slice_with_length(0, len * size_of::<T>())
    }
}

fn lock<T>(free: &Mutex<Vec<Vec<T>>>) -> MutexGuard<'_, Vec<Vec<T>>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Lent<T> {
    memory: Vec<T>,
    free: Arc<Mutex<Vec<Vec<T>>>>,
}

impl<T: ArrowNativeType> AsRef<[u8]> for Lent<T> {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_slice().to_byte_slice()
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        let mut free = lock(&self.free);
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.memory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_the_last_buffer_is_dropped() {
        let pool = Pool::<i64>::default();
        assert!(pool.take().is_empty());
        let memory = vec![1, 2, 3];
        let place = memory.as_ptr();
        let buffer = pool.lend(memory, 2);
        assert_eq!(buffer.typed_data::<i64>(), [1, 2]);
        let part = buffer.slice(8);
        drop(buffer);
        assert!(pool.take().is_empty());
        drop(part);
        let memory = pool.take();
        assert_eq!((memory.as_ptr(), memory.as_slice()), (place, [1, 2, 3].as_slice()));
    }

    #[test]
    fn a_pool_keeps_little() {
        let pool = Pool::<u8>::default();
        let buffers: Vec<_> = (0..100u8).map(|byte| pool.lend(vec![byte], 1)).collect();
        assert!(buffers.iter().zip(0..).all(|(buffer, byte)| buffer.as_slice() == [byte]));
        drop(buffers);
        assert_eq!(lock(&pool.free).len(), KEPT);
        // Buffers outlive their pool.
        let buffer = Pool::<u8>::default().lend(vec![7], 1);
        assert_eq!(buffer.as_slice(), [7]);
    }
}
