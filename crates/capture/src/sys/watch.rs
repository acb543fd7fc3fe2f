//! What is waited for: rtnetlink sockets, names in folders.

use super::{check, owned};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Groups of linux/rtnetlink.h: links, IPv4 and IPv6 addresses.
pub(crate) const DEVICE_GROUPS: u32 = 0x1 | 0x10 | 0x100;

/// An rtnetlink socket in the calling thread's network namespace. It keeps the
/// namespace alive. With groups it hears of changes; it never blocks then.
pub(crate) fn rtnetlink(groups: u32) -> io::Result<File> {
    let flags = libc::SOCK_RAW | libc::SOCK_CLOEXEC | if groups == 0 { 0 } else { libc::SOCK_NONBLOCK };
    // SAFETY: no addresses; socket returns a new descriptor.
    let socket = unsafe { owned(libc::socket(libc::AF_NETLINK, flags, libc::NETLINK_ROUTE).into()) }?;
    // SAFETY: sockaddr_nl holds integers: zero is valid.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_groups = groups;
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: `address` is a sockaddr_nl of that length and lives through the call.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    check(bound.into())?;
    // A kernel that does not answer must not stop the thread for ever.
    let patience = libc::timeval { tv_sec: 5, tv_usec: 0 };
    // SAFETY: the option's value is a timeval of that length.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVTIMEO,
            (&raw const patience).cast(),
            size_of_val(&patience) as libc::socklen_t,
        )
    };
    check(set.into())?;
    Ok(File::from(socket))
}

/// An inotify instance; reading it never blocks.
pub(crate) fn inotify() -> io::Result<File> {
    // SAFETY: no addresses; inotify_init1 returns a new descriptor.
    let fd: OwnedFd = unsafe { owned(libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK).into()) }?;
    Ok(File::from(fd))
}

/// Hears of names that come and go in a folder; a second time changes nothing.
pub(crate) fn watch_names(inotify: BorrowedFd<'_>, folder: &Path) -> io::Result<()> {
    let folder = CString::new(folder.as_os_str().as_bytes())
        .map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let what = libc::IN_CREATE | libc::IN_DELETE | libc::IN_MOVE | libc::IN_ATTRIB | libc::IN_ONLYDIR;
    // SAFETY: the path ends with a zero and lives through the call.
    let answer = unsafe { libc::inotify_add_watch(inotify.as_raw_fd(), folder.as_ptr(), what) };
    check(answer.into()).map(drop)
}

/// Waits until one of these can be read; whether each can (or has failed, which
/// reading will tell). All `false`: the time is over.
pub(crate) fn readable(files: &[BorrowedFd<'_>], patience: Duration) -> io::Result<Vec<bool>> {
    let mut wanted: Vec<libc::pollfd> = files
        .iter()
        .map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    let patience = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: `wanted` has as many entries as said and lives through the call.
    let answer = unsafe { libc::poll(wanted.as_mut_ptr(), wanted.len() as libc::nfds_t, patience) };
    match check(answer.into()) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
        _ => {}
    }
    Ok(wanted.iter().map(|found| found.revents != 0).collect())
}
