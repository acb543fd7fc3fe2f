//! The file layer: what the log needs of a folder, so that a store can live on
//! disk ([`Folder`]), in memory ([`Memory`]) or, in tests, on a failing disk.
//!
//! Not for: formats. Offsets and bytes only.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use crate::error::StoreError;
use crate::store::{lock, read_lock, write_lock};

/// A folder of log files.
pub(crate) trait Files: Send + Sync {
    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// An existing file, to read and write.
    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>>;
    /// A new, empty file in place of any old one of that name.
    fn create(&self, name: &str) -> io::Result<Arc<dyn LogFile>>;
    /// Replaces any file named `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Open handles stay readable.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_names(&self) -> io::Result<()>;
    /// The name as an error message shows it.
    fn path(&self, name: &str) -> String;
}

/// One file, written by one thread at a time, read by many.
pub(crate) trait LogFile: Send + Sync {
    fn len(&self) -> io::Result<u64>;
    /// Fails if fewer bytes are there.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
    /// May have written a part when it fails.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes all bytes written, and the length, durable: fdatasync(2).
    fn sync_data(&self) -> io::Result<()>;
    /// fsync(2).
    fn sync_all(&self) -> io::Result<()>;
}

/// A folder on disk, locked against other processes while it is open.
pub(crate) struct Folder {
    dir: PathBuf,
    /// Holds the lock until it is dropped.
    _lock: File,
}

impl Folder {
    /// Makes the folder if need be (mode 0700: events are private).
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let io = |doing| move |source| StoreError::Io { doing, path: dir.display().to_string(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io("create folder"))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(dir.join("lock"))
            .map_err(io("create the lock file in"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { dir: dir.display().to_string() }),
            Err(fs::TryLockError::Error(source)) => Err(io("lock")(source)),
        }
    }
}

impl Files for Folder {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(true).open(self.dir.join(name))?))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        Ok(Arc::new(options.open(self.dir.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

impl LogFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        File::sync_all(self)
    }
}

/// Files that live as long as the store.
#[derive(Default)]
pub(crate) struct Memory {
    names: Mutex<BTreeMap<String, Arc<MemoryFile>>>,
}

#[derive(Default)]
pub(crate) struct MemoryFile(RwLock<Vec<u8>>);

impl Files for Memory {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(lock(&self.names).keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let file = lock(&self.names).get(name).cloned();
        Ok(file.ok_or(io::ErrorKind::NotFound)?)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let file = Arc::new(MemoryFile::default());
        lock(&self.names).insert(name.to_owned(), file.clone());
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut names = lock(&self.names);
        let file = names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        lock(&self.names).remove(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("memory:{name}")
    }
}

impl LogFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(read_lock(&self.0).len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let held = read_lock(&self.0);
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(held.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut held = write_lock(&self.0);
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = start.checked_add(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        if held.len() < end {
            held.resize(end, 0);
        }
        held[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        write_lock(&self.0).resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
}
