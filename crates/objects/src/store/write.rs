//! New objects by those who have the bytes at hand, such as results of queries.

use super::error::file;
use super::{Head, Result, Store, Unless, Written};
use md5::{Digest, Md5};
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// A file on its way to be an object. Dropped before [`Writing::finish`], it is
/// removed.
pub struct Writing<'a> {
    store: &'a Store,
    name: Option<String>,
    out: BufWriter<File>,
    md5: Md5,
    size: u64,
}

impl Store {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(&self) -> Result<Writing<'_>> {
        let name = Self::new_name()?;
        let out = File::create(self.new_file(&name)?).map_err(file("write"))?;
        let out = BufWriter::with_capacity(256 << 10, out);
        Ok(Writing { store: self, name: Some(name), out, md5: Md5::new(), size: 0 })
    }
}

impl Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.md5.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Writing<'_> {
    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes it an object, durable from then on.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`](super::Error::NoSuchBucket), those of the disk.
    pub fn finish(mut self, bucket: &str, key: &str, content_type: &str, now_ms: i64) -> Result<()> {
        self.out.flush().map_err(file("write"))?;
        self.out.get_ref().sync_all().map_err(file("sync"))?;
        let Some(name) = self.name.take() else { return Ok(()) };
        let etag = hex::encode(std::mem::take(&mut self.md5).finalize());
        let written = Written { name: name.clone(), size: self.size, etag };
        if let Err(error) = self.store.sync_folder(&name) {
            self.store.discard(&name);
            return Err(error);
        }
        let head = Head { content_type: Some(content_type.to_owned()), ..Head::default() };
        self.store.put_object(bucket, key, &written, &head, &Unless::Never, now_ms)
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            self.store.discard(name);
        }
    }
}
