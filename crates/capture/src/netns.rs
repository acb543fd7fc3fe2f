//! Network namespaces: where a device lives. Device names and indexes mean
//! something only inside of one.

use crate::error::CaptureError;
use crate::privileges;
use crate::sys::net;
use std::fs::{File, OpenOptions};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

/// Where `ip netns` keeps the names.
pub(crate) const NAMED: &str = "/run/netns";

/// Where Docker keeps its own.
pub(crate) const DOCKER: &str = "/run/docker/netns";

/// The file of a namespace by its name for `ip netns`, or by an absolute path.
pub(crate) fn path(name_or_path: &str) -> PathBuf {
    // An absolute path replaces the folder.
    PathBuf::from(NAMED).join(name_or_path)
}

/// The namespace that has a name, as in `ip netns`, or an absolute path now: its
/// inode. That of another process may take CAP_SYS_PTRACE.
pub fn id_of(name_or_path: &str) -> Option<u64> {
    let look = || std::fs::metadata(path(name_or_path)).ok().map(|data| data.ino());
    if is_of_process(Some(name_or_path)) { privileges::with_all(look) } else { look() }
}

/// Whether it is a process's: opening it may take CAP_SYS_PTRACE.
fn is_of_process(name_or_path: Option<&str>) -> bool {
    name_or_path.is_some_and(|path| path.starts_with("/proc/"))
}

/// An open network namespace. It lives as long as this is open, even when its
/// name is gone.
#[derive(Debug)]
pub(crate) struct Namespace {
    file: File,
    /// As the caller called it.
    name: String,
}

impl Namespace {
    /// Opens a namespace by the name `ip netns` knows or by an absolute path;
    /// `None` is the calling thread's own.
    pub(crate) fn open(name_or_path: Option<&str>) -> Result<Self, CaptureError> {
        let path = match name_or_path {
            None => PathBuf::from("/proc/thread-self/ns/net"),
            Some(name) => path(name),
        };
        let name = name_or_path.unwrap_or("of this thread").to_owned();
        // Not to wait at a pipe that nobody writes to.
        let open = || OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path);
        match if is_of_process(name_or_path) { privileges::with_all(open) } else { open() } {
            Ok(file) => Ok(Self { file, name }),
            Err(source) => Err(CaptureError::NamespaceNotFound { netns: name, source }),
        }
    }

    /// What tells namespaces apart: the inode of the kernel's namespace files.
    pub(crate) fn id(&self) -> Result<(u64, u64), CaptureError> {
        let data = self.file.metadata().map_err(CaptureError::doing("identify a network namespace"))?;
        Ok((data.dev(), data.ino()))
    }

    /// Runs a closure inside, on a thread of its own, and waits for it. The
    /// calling thread stays where it is. A panic of the closure goes on here.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, CaptureError> {
        let inside = privileges::with_all(|| net::enter_namespace(self.file.as_fd()).map(|()| work()));
        inside.map_err(|source| match source.raw_os_error() {
            Some(libc::EINVAL) => CaptureError::NotANamespace { netns: self.name.clone() },
            Some(libc::EPERM) => CaptureError::System {
                action: format!("enter network namespace '{}' (it needs CAP_SYS_ADMIN)", self.name),
                source,
            },
            _ => CaptureError::System { action: format!("enter network namespace '{}'", self.name), source },
        })
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

/// The addresses of a device in the calling thread's network namespace, each
/// with the length of its network.
///
/// # Errors
/// There is no such device.
pub fn addresses(device: &str) -> Result<Vec<(IpAddr, u8)>, CaptureError> {
    if net::device_index(device).is_err() {
        return Err(CaptureError::DeviceNotFound { device: device.to_owned(), netns: None });
    }
    net::addresses(device).map_err(CaptureError::doing(format!("read the addresses of device '{device}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_namespace_is_named() {
        let said = |path: &str| match Namespace::open(Some(path)).and_then(|it| it.run(|| ())) {
            Ok(()) => panic!("{path} is a network namespace"),
            Err(error) => error.to_string(),
        };
        assert!(said("/nope").contains("'/nope' not found"));
        if crate::tests::support::is_root() {
            for path in ["/dev/null", "/tmp", "/proc/self/ns/uts"] {
                assert!(said(path).contains(&format!("'{path}' is not a network namespace")), "{path}");
            }
        }
    }
}
