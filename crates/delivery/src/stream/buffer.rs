//! Records of streams that were put and are not delivered yet, on disk.
//!
//! ```text
//! <dir>/<stream>/000000000001.seg    records, one frame each, only ever appended to
//!                000000000002.seg    the open one
//! frame: length (u32), CRC-32 of the rest (u32), arrival in milliseconds (i64), bytes
//! ```
//!
//! `put` has synced before it returns. A torn end, which only a put that was
//! never answered leaves, is cut off at the next start. A segment is one object.
//!
//! Calls block on the disk. One process at a time uses a folder.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

const HEAD_BYTES: usize = 16;

/// A segment is closed at this size whatever its stream's hints are.
const MAX_SEGMENT_BYTES: u64 = 128 << 20;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub arrived_ms: i64,
    pub data: Vec<u8>,
}

/// A segment of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub number: u64,
    /// Of the file.
    pub bytes: u64,
    /// When its first record arrived.
    pub first_ms: i64,
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BufferError {
    #[error("the buffers of delivery streams hold {used_bytes} bytes, of at most {max_bytes}")]
    Full { used_bytes: u64, max_bytes: u64 },
    #[error("the buffer of a delivery stream cannot be written")]
    Io(#[from] io::Error),
}

#[derive(Debug, Default)]
struct Stream {
    segments: BTreeMap<u64, Segment>,
    open: Option<File>,
    last: u64,
}

/// The buffers of all streams.
#[derive(Debug)]
pub struct Buffers {
    dir: PathBuf,
    max_bytes: u64,
    streams: Mutex<HashMap<String, Arc<Mutex<Stream>>>>,
    changed: Notify,
}

impl Buffers {
    /// Opens the folder, or makes it.
    pub fn open(dir: impl Into<PathBuf>, max_bytes: u64) -> io::Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir)?;
        let mut streams = HashMap::new();
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            let (true, Some(name)) = (path.is_dir(), path.file_name().and_then(|name| name.to_str())) else {
                continue;
            };
            streams.insert(name.to_owned(), Arc::new(Mutex::new(scan(&path)?)));
        }
        Ok(Self { dir, max_bytes, streams: Mutex::new(streams), changed: Notify::new() })
    }

    /// Keeps records durably, all or none.
    pub fn put(&self, stream: &str, records: &[Vec<u8>], now_ms: i64) -> Result<(), BufferError> {
        let used_bytes = self.bytes();
        let size: usize = records.iter().map(|data| data.len() + HEAD_BYTES).sum();
        if used_bytes.saturating_add(size as u64) > self.max_bytes {
            return Err(BufferError::Full { used_bytes, max_bytes: self.max_bytes });
        }
        let known = lock(&self.streams).entry(stream.to_owned()).or_default().clone();
        let mut inside = lock(&known);
        if inside.segments.last_key_value().is_some_and(|(_, segment)| segment.bytes > MAX_SEGMENT_BYTES) {
            inside.open = None;
        }
        if inside.open.is_none() {
            let folder = self.dir.join(stream);
            fs::create_dir_all(&folder)?;
            let number = inside.last + 1;
            // A name is not tried again: the file may be there after a failure.
            inside.last = number;
            let file = OpenOptions::new().append(true).create_new(true).open(path(&folder, number))?;
            File::open(&folder)?.sync_all()?;
            File::open(&self.dir)?.sync_all()?;
            inside.open = Some(file);
            inside.segments.insert(number, Segment { number, bytes: 0, first_ms: now_ms });
        }
        let mut frames = Vec::with_capacity(size);
        for data in records {
            frame(&mut frames, now_ms, data);
        }
        let number = inside.last;
        let before = inside.segments.get(&number).map_or(0, |segment| segment.bytes);
        let Some(file) = &mut inside.open else { return Ok(()) };
        if let Err(error) = file.write_all(&frames).and_then(|()| file.sync_data()) {
            // Nobody was told that these are safe.
            drop(file.set_len(before));
            inside.open = None;
            return Err(error.into());
        }
        if let Some(segment) = inside.segments.get_mut(&number) {
            segment.bytes += frames.len() as u64;
        }
        drop(inside);
        self.changed.notify_one();
        Ok(())
    }

    /// A stream's segments, the oldest first.
    pub fn segments(&self, stream: &str) -> Vec<Segment> {
        let known = lock(&self.streams).get(stream).cloned();
        known.map(|known| lock(&known).segments.values().copied().collect()).unwrap_or_default()
    }

    /// The records of a segment, to which nothing is added from now on.
    pub fn take(&self, stream: &str, number: u64) -> io::Result<Vec<Record>> {
        let known = lock(&self.streams).get(stream).cloned();
        if let Some(known) = known {
            let mut inside = lock(&known);
            if inside.last == number {
                inside.open = None;
            }
        }
        Ok(frames(&mut File::open(path(&self.dir.join(stream), number))?)?.0)
    }

    /// A segment was delivered.
    pub fn remove(&self, stream: &str, number: u64) -> io::Result<()> {
        let known = lock(&self.streams).get(stream).cloned();
        let Some(known) = known else { return Ok(()) };
        let mut inside = lock(&known);
        inside.segments.remove(&number);
        match fs::remove_file(path(&self.dir.join(stream), number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A stream was deleted: its records go.
    pub fn forget(&self, stream: &str) -> io::Result<()> {
        lock(&self.streams).remove(stream);
        match fs::remove_dir_all(self.dir.join(stream)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Streams that have records.
    pub fn waiting(&self) -> Vec<String> {
        let streams = lock(&self.streams);
        let full = streams.iter().filter(|(_, stream)| !lock(stream).segments.is_empty());
        full.map(|(name, _)| name.clone()).collect()
    }

    fn bytes(&self) -> u64 {
        let all: Vec<_> = lock(&self.streams).values().cloned().collect();
        all.iter().map(|stream| lock(stream).segments.values().map(|s| s.bytes).sum::<u64>()).sum()
    }

    /// Waits until something is put.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.seg"))
}

fn frame(out: &mut Vec<u8>, arrived_ms: i64, data: &[u8]) {
    let mut hash = crc32fast::Hasher::new();
    hash.update(&arrived_ms.to_le_bytes());
    hash.update(data);
    // Records are at most a megabyte.
    out.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&hash.finalize().to_le_bytes());
    out.extend_from_slice(&arrived_ms.to_le_bytes());
    out.extend_from_slice(data);
}

/// Whole frames, and how many bytes they take.
fn frames(file: &mut File) -> io::Result<(Vec<Record>, u64)> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let (mut records, mut at) = (Vec::new(), 0);
    while let Some((record, size)) = bytes.get(at..).and_then(first_frame) {
        records.push(record);
        at += size;
    }
    Ok((records, at as u64))
}

fn first_frame(bytes: &[u8]) -> Option<(Record, usize)> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let (length, head) = head.split_first_chunk::<4>()?;
    let (crc, head) = head.split_first_chunk::<4>()?;
    let (arrived, _) = head.split_first_chunk::<8>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let data = rest.get(..length)?;
    let mut hash = crc32fast::Hasher::new();
    hash.update(arrived);
    hash.update(data);
    if hash.finalize() != u32::from_le_bytes(*crc) {
        return None;
    }
    let record = Record { arrived_ms: i64::from_le_bytes(*arrived), data: data.to_vec() };
    Some((record, HEAD_BYTES + length))
}

fn scan(folder: &Path) -> io::Result<Stream> {
    let mut stream = Stream::default();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str());
        let number = number.and_then(|name| name.strip_suffix(".seg")?.parse().ok());
        let Some(number): Option<u64> = number else { continue };
        stream.last = stream.last.max(number);
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        let (records, bytes) = frames(&mut file)?;
        match records.first() {
            None => fs::remove_file(&path)?,
            Some(first) => {
                file.set_len(bytes)?;
                stream.segments.insert(number, Segment { number, bytes, first_ms: first.arrived_ms });
            }
        }
    }
    Ok(stream)
}

/// A panic elsewhere leaves these values as true as the last full step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn records(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn what_was_put_is_there_after_a_crash_and_a_torn_end_is_not() {
        let dir = TempDir::new().unwrap();
        let buffers = Buffers::open(dir.path(), 1 << 20).unwrap();
        buffers.put("s", &records(&["a", "", "b"]), 5).unwrap();
        buffers.put("s", &records(&["c"]), 7).unwrap();
        let file = dir.path().join("s/000000000001.seg");
        drop(buffers);
        let whole = fs::read(&file).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&file, &whole[..cut]).unwrap();
            let buffers = Buffers::open(dir.path(), 1 << 20).unwrap();
            let found = match buffers.segments("s").first() {
                None => 0,
                Some(segment) => buffers.take("s", segment.number).unwrap().len(),
            };
            assert_eq!(found, [17, 33, 50, 67].iter().filter(|&&end| cut >= end).count(), "{cut}");
            // The next put begins a new segment, whatever is left of the old one.
            buffers.put("s", &records(&["d"]), 9).unwrap();
            let last = buffers.segments("s").pop().unwrap();
            assert_eq!(last.first_ms, 9);
            buffers.forget("s").unwrap();
            fs::create_dir_all(dir.path().join("s")).unwrap();
        }
    }

    #[test]
    fn a_segment_that_could_not_be_made_stops_only_its_own_put() {
        let dir = TempDir::new().unwrap();
        let buffers = Buffers::open(dir.path(), 1 << 20).unwrap();
        fs::create_dir_all(dir.path().join("s/000000000001.seg")).unwrap();
        assert!(matches!(buffers.put("s", &records(&["lost"]), 1), Err(BufferError::Io(_))));
        buffers.put("s", &records(&["kept"]), 2).unwrap();
        let [segment] = buffers.segments("s").try_into().unwrap();
        assert_eq!((segment.number, buffers.take("s", 2).unwrap()[0].data.as_slice()), (2, &b"kept"[..]));
    }

    #[test]
    fn segments_are_taken_and_removed_one_by_one_and_room_is_limited() {
        let dir = TempDir::new().unwrap();
        let buffers = Buffers::open(dir.path(), 60).unwrap();
        buffers.put("s", &records(&["one"]), 1).unwrap();
        assert_eq!(buffers.take("s", 1).unwrap()[0].data, b"one");
        buffers.put("s", &records(&["two"]), 2).unwrap();
        assert_eq!(buffers.segments("s").iter().map(|s| s.number).collect::<Vec<_>>(), [1, 2]);
        assert!(matches!(buffers.put("s", &records(&["three", "4"]), 3), Err(BufferError::Full { .. })));
        buffers.remove("s", 1).unwrap();
        assert_eq!(buffers.waiting(), ["s"]);
        buffers.put("s", &records(&["three"]), 3).unwrap();
        assert_eq!(buffers.take("s", 2).unwrap().len(), 2);
        buffers.remove("s", 2).unwrap();
        assert!(buffers.waiting().is_empty());
    }
}
