//! The write-ahead log: numbered files of frames, each frame written and
//! fdatasynced as one.
//!
//! ```text
//! wal-0000000001.log   wal-0000000003.log   wal-0000000004.log   <- frames are appended to the last one
//!                   ^ 2 was removed: its events have expired, or are in a segment
//!
//! file    "WEIRLOG" | u8 format version | u32 file number | u64 salt | frame*
//! frame   "WFRM" | u32 length of body | u64 own offset in the file
//!         | u32 crc32 of salt, the 16 bytes before, body | body: records (see `record`)
//! ```
//!
//! Invariants:
//!
//! - A frame is started only when the frame before it is durable. So a frame
//!   that is not whole, at the end of the last file, was never acknowledged: it
//!   is cut off at open. Anywhere else it is damage: an error. A later whole
//!   frame in the file is the proof; offset and salt keep old bytes, and
//!   messages that look like frames, from being taken for one.
//! - The first frame of a file is a snapshot of all groups and streams, so
//!   older files hold nothing but events and may be removed in any order.
//! - A file is written under another name, fsynced, and renamed; the file
//!   before it gets no frame from the first attempt on.
//!
//! Limit: damage to the last acknowledged frame itself looks like a torn tail.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::Arc;

use crate::error::StoreError;
use crate::files::{Files, LogFile};

/// Bytes before a frame's body.
pub(crate) const FRAME_HEADER: usize = 20;
pub(crate) const FILE_HEADER: usize = 20;
const FRAME_MAGIC: &[u8; 4] = b"WFRM";
const FILE_MAGIC: &[u8; 7] = b"WEIRLOG";
/// 2: there may be records of segments, so that an older program that does not
/// know them says so.
const VERSION: u8 = 2;
const TEMPORARY: &str = "wal-new.tmp";

/// The open end of the log.
pub(crate) struct Wal {
    files: Arc<dyn Files>,
    file_bytes: u64,
    active: Option<Active>,
    /// A file was to be started: until it is, nothing may be written.
    rotating: bool,
}

struct Active {
    file: Arc<dyn LogFile>,
    number: u32,
    salt: u64,
    /// End of the snapshot.
    snapshot_end: u64,
    /// End of the last durable frame.
    end: u64,
    /// There may be bytes after `end`.
    unclean: bool,
}

/// A frame with room for its header.
pub(crate) fn new_frame() -> Vec<u8> {
    vec![0; FRAME_HEADER]
}

pub(crate) fn file_name(number: u32) -> String {
    format!("wal-{number:010}.log")
}

/// The number in a log file's name; `None` for other files.
pub(crate) fn file_number(name: &str) -> Option<u32> {
    name.strip_prefix("wal-")?.strip_suffix(".log")?.parse().ok().filter(|&n| file_name(n) == name)
}

impl Wal {
    /// A log that goes on at the end of the `last` file; without one the first
    /// write starts a file.
    pub fn new(
        files: Arc<dyn Files>,
        file_bytes: u64,
        last: Option<(u32, Arc<dyn LogFile>, FileRead)>,
    ) -> Self {
        let active = last.map(|(number, file, read)| {
            let FileRead { salt, snapshot_end, end, .. } = read;
            Active { file, number, salt, snapshot_end, end, unclean: false }
        });
        Self { files, file_bytes, active, rotating: false }
    }

    /// The number of a file that must be started by [`Wal::rotate`] before a
    /// frame of this length is appended.
    pub fn next_file(&self, frame_len: usize) -> Option<u32> {
        match &self.active {
            None => Some(1),
            Some(active) => {
                // At least as many bytes of events as of snapshot, however many
                // streams there are.
                let limit = self.file_bytes.max(2 * active.snapshot_end);
                let full =
                    active.end.saturating_add(frame_len as u64) > limit && active.end > active.snapshot_end;
                (full || self.rotating).then_some(active.number + 1)
            }
        }
    }

    /// The number of the next file, if there is anything in this one.
    pub fn file_after(&self) -> Option<u32> {
        let active = self.active.as_ref()?;
        (active.end > active.snapshot_end).then_some(active.number + 1)
    }

    /// Starts the file that [`Wal::next_file`] named, with `snapshot` as its
    /// first frame. After an error nothing can be appended until a call succeeds.
    pub fn rotate(&mut self, snapshot: Vec<u8>) -> io::Result<(u32, Arc<dyn LogFile>)> {
        self.rotating = true;
        let mut number = 1;
        if let Some(active) = &mut self.active {
            active.clean()?;
            active.file.sync_all()?;
            number = active.number + 1;
        }
        let salt = RandomState::new().build_hasher().finish();
        let file = self.files.create(TEMPORARY)?;
        let mut bytes = Vec::with_capacity(FILE_HEADER + snapshot.len());
        bytes.extend(FILE_MAGIC);
        bytes.push(VERSION);
        bytes.extend(number.to_le_bytes());
        bytes.extend(salt.to_le_bytes());
        let mut frame = snapshot;
        seal(&mut frame, salt, FILE_HEADER as u64);
        bytes.append(&mut frame);
        file.write_at(&bytes, 0)?;
        file.sync_all()?;
        self.files.rename(TEMPORARY, &file_name(number))?;
        self.files.sync_names()?;
        let end = bytes.len() as u64;
        let file_again = file.clone();
        self.active = Some(Active { file: file_again, number, salt, snapshot_end: end, end, unclean: false });
        self.rotating = false;
        Ok((number, file))
    }

    /// Appends a frame and makes it durable. Returns the file's number and the
    /// frame's offset. After an error the frame is not in the log (but see the
    /// crate's promise about crashes), and the next call works if the disk does.
    pub fn append(&mut self, frame: &mut [u8]) -> io::Result<(u32, u64)> {
        let Some(active) = self.active.as_mut().filter(|_| !self.rotating) else {
            return Err(io::Error::other("no log file is open for writing"));
        };
        active.clean()?;
        let offset = active.end;
        if offset + frame.len() as u64 > u64::from(u32::MAX) {
            return Err(io::Error::other("a log file cannot grow past 4 GiB"));
        }
        active.unclean = true;
        seal(frame, active.salt, offset);
        let written = active.file.write_at(frame, offset).and_then(|()| active.file.sync_data());
        if let Err(error) = written {
            // Gives the space back at once; `clean` repeats it if it fails.
            if let Err(again) = active.clean() {
                tracing::warn!(error = %again, "could not cut off an unfinished write; it is retried before the next");
            }
            return Err(error);
        }
        active.end = offset + frame.len() as u64;
        active.unclean = false;
        Ok((active.number, offset))
    }
}

impl Active {
    fn clean(&mut self) -> io::Result<()> {
        if self.unclean {
            self.file.truncate(self.end)?;
            self.unclean = false;
        }
        Ok(())
    }
}

fn seal(frame: &mut [u8], salt: u64, offset: u64) {
    let length = (frame.len() - FRAME_HEADER) as u32;
    frame[..4].copy_from_slice(FRAME_MAGIC);
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    frame[8..16].copy_from_slice(&offset.to_le_bytes());
    let crc = checksum(salt, &frame[..16], &frame[FRAME_HEADER..]);
    frame[16..20].copy_from_slice(&crc.to_le_bytes());
}

fn checksum(salt: u64, header: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(header);
    hasher.update(body);
    hasher.finalize()
}

/// What [`read_file`] found.
pub(crate) struct FileRead {
    pub salt: u64,
    /// End of the first frame.
    pub snapshot_end: u64,
    /// End of the last whole frame.
    pub end: u64,
    /// Bytes after it: a write that a crash interrupted.
    pub torn: u64,
}

/// Reads a log file from its start; `visit` gets each body and its offset in
/// the file. Bytes that no frame covers are an error unless the file is the
/// `last` one and no whole frame follows them.
pub(crate) fn read_file(
    file: &dyn LogFile,
    path: &str,
    number: u32,
    last: bool,
    mut visit: impl FnMut(u64, &[u8]) -> Result<(), &'static str>,
) -> Result<FileRead, StoreError> {
    let io = |source| StoreError::Io { doing: "read", path: path.into(), source };
    let damaged = |offset, what| StoreError::Damaged { file: path.into(), offset, what };
    let len = file.len().map_err(io)?;
    let mut header = [0; FILE_HEADER];
    if len < FILE_HEADER as u64 {
        return Err(damaged(len, "the file header is not whole"));
    }
    file.read_at(&mut header, 0).map_err(io)?;
    if &header[..7] != FILE_MAGIC {
        return Err(damaged(0, "it does not start like a log file"));
    }
    if !(1..=VERSION).contains(&header[7]) {
        return Err(StoreError::Version { file: path.into(), version: header[7], known: VERSION });
    }
    if header[8..12] != number.to_le_bytes() {
        return Err(damaged(8, "its number is not that of its name"));
    }
    let salt = u64_at(&header, 12);

    let mut end = FILE_HEADER as u64;
    let mut snapshot_end = 0;
    let mut body = Vec::new();
    while end < len {
        if !read_frame(file, salt, end, len, &mut body).map_err(io)? {
            // The snapshot was durable before the file got its name.
            let torn = last && end > FILE_HEADER as u64 && !frame_after(file, salt, end, len).map_err(io)?;
            if torn {
                break;
            }
            return Err(damaged(end, "a record does not match its check sum"));
        }
        visit(end + FRAME_HEADER as u64, &body).map_err(|what| damaged(end, what))?;
        end += (FRAME_HEADER + body.len()) as u64;
        if snapshot_end == 0 {
            snapshot_end = end;
        }
    }
    if snapshot_end == 0 {
        return Err(damaged(end, "its first record is missing"));
    }
    Ok(FileRead { salt, snapshot_end, end, torn: len - end })
}

/// Whether a whole frame starts at `offset`; its body is then in `body`.
fn read_frame(file: &dyn LogFile, salt: u64, offset: u64, len: u64, body: &mut Vec<u8>) -> io::Result<bool> {
    let mut header = [0; FRAME_HEADER];
    if len - offset < FRAME_HEADER as u64 {
        return Ok(false);
    }
    file.read_at(&mut header, offset)?;
    let length = u32_at(&header, 4);
    if &header[..4] != FRAME_MAGIC
        || u64_at(&header, 8) != offset
        || u64::from(length) > len - offset - FRAME_HEADER as u64
    {
        return Ok(false);
    }
    body.resize(length as usize, 0);
    file.read_at(body, offset + FRAME_HEADER as u64)?;
    Ok(checksum(salt, &header[..16], body) == u32_at(&header, 16))
}

/// Whether a whole frame starts anywhere after `offset`.
fn frame_after(file: &dyn LogFile, salt: u64, offset: u64, len: u64) -> io::Result<bool> {
    const CHUNK: usize = 1 << 20;
    let mut chunk = vec![0; CHUNK];
    let mut body = Vec::new();
    let mut at = offset + 1;
    while at < len {
        let n = CHUNK.min((len - at) as usize);
        file.read_at(&mut chunk[..n], at)?;
        for start in 0..n.saturating_sub(FRAME_MAGIC.len() - 1) {
            if &chunk[start..start + 4] == FRAME_MAGIC
                && read_frame(file, salt, at + start as u64, len, &mut body)?
            {
                return Ok(true);
            }
        }
        // Chunks overlap by three bytes, so that no magic falls between two.
        at += if n == CHUNK { (n - 3) as u64 } else { n as u64 };
    }
    Ok(false)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// Removes what an interrupted [`Wal::rotate`] left behind.
pub(crate) fn remove_temporary(files: &dyn Files, names: &[String]) -> Result<(), StoreError> {
    if names.iter().any(|name| name == TEMPORARY) {
        files.remove(TEMPORARY).map_err(|source| StoreError::Io {
            doing: "remove",
            path: files.path(TEMPORARY),
            source,
        })?;
    }
    Ok(())
}
