//! Decompresses gzip objects and does nothing with the text: what the gzip rows
//! of `bench/query` are compared with. One thread a core, the library that
//! `weir query` uses.
//!
//! inflate FOLDER

use libdeflater::Decompressor;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs, io, thread};

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "gz") {
            found.push(path);
        }
    }
    Ok(())
}

/// Gives the bytes of text in all objects taken.
fn work(paths: &Mutex<Vec<PathBuf>>) -> io::Result<u64> {
    let (mut text, mut bytes) = (Vec::new(), 0);
    loop {
        let Some(path) = paths.lock().map_err(|_| io::Error::other("a thread failed"))?.pop() else {
            return Ok(bytes);
        };
        let packed = fs::read(path)?;
        // RFC 1952 section 2.3.1: the size of the text is at the end.
        let size = packed.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size) as usize);
        if text.len() < size {
            text.resize(size, 0);
        }
        let count = Decompressor::new().gzip_decompress(&packed, &mut text);
        bytes += count.map_err(io::Error::other)? as u64;
    }
}

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("name a folder"))?;
    let mut paths = Vec::new();
    collect(Path::new(&folder), &mut paths)?;
    let (count, paths) = (paths.len(), Mutex::new(paths));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let bytes = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&paths))).collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.map(|done| done.unwrap_or_else(|_| Err(io::Error::other("a thread failed"))))
            .sum::<io::Result<u64>>()
    })?;
    println!("{count} objects, {bytes} bytes of text");
    Ok(())
}
