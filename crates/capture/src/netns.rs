//! Network namespaces: where a device lives. Device names and indexes mean
//! something only inside of one.

use crate::error::CaptureError;
use crate::sys::net;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Where `ip netns` keeps the names.
const NAMED: &str = "/run/netns";

/// An open network namespace. It lives as long as this is open, even when its
/// name is gone.
#[derive(Debug)]
pub(crate) struct Namespace {
    file: File,
}

impl Namespace {
    /// Opens a namespace by the name `ip netns` knows or by an absolute path;
    /// `None` is the calling thread's own.
    pub(crate) fn open(name_or_path: Option<&str>) -> Result<Self, CaptureError> {
        let path = match name_or_path {
            None => PathBuf::from("/proc/thread-self/ns/net"),
            Some(path) if path.starts_with('/') => PathBuf::from(path),
            Some(name) => PathBuf::from(NAMED).join(name),
        };
        let file = File::open(&path).map_err(|source| CaptureError::NamespaceNotFound {
            netns: name_or_path.unwrap_or("of this thread").to_owned(),
            source,
        })?;
        Ok(Self { file })
    }

    /// What tells namespaces apart: the inode of the kernel's namespace files.
    pub(crate) fn id(&self) -> Result<(u64, u64), CaptureError> {
        let data = self.file.metadata().map_err(CaptureError::doing("identify a network namespace"))?;
        Ok((data.dev(), data.ino()))
    }

    /// Runs a closure inside, on a thread of its own, and waits for it. The
    /// calling thread stays where it is. A panic of the closure goes on here.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, CaptureError> {
        let inside = std::thread::scope(|scope| {
            let thread = scope.spawn(|| net::enter_namespace(self.file.as_fd()).map(|()| work()));
            match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        inside.map_err(CaptureError::doing("enter a network namespace"))
    }
}

/// Runs a closure inside a network namespace, given by its name (as in
/// `ip netns`) or an absolute path, on a fresh thread, and returns what it
/// returns. Sockets made there belong to the namespace for good. Needs
/// CAP_SYS_ADMIN.
///
/// # Errors
/// The namespace is not there, or may not be entered.
pub fn enter<T: Send>(name_or_path: &str, work: impl FnOnce() -> T + Send) -> Result<T, CaptureError> {
    Namespace::open(Some(name_or_path))?.run(work)
}
