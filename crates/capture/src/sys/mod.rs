//! System calls: the only `unsafe` code of Weir besides `abi.rs`.
//!
//! Everything that leaves this module is safe: sizes of buffers are checked
//! against what the kernel will read or write, file descriptors are owned.

pub(crate) mod bpf;
pub(crate) mod capability;
pub(crate) mod clock;
pub(crate) mod map;
pub(crate) mod net;
pub(crate) mod pin;
pub(crate) mod watch;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// The answer of a system call: -1 is an error in errno.
fn check(answer: libc::c_long) -> io::Result<libc::c_long> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// Takes ownership of a file descriptor that a system call just made.
///
/// # Safety
/// `answer` is the return value of a call that returns a new descriptor.
unsafe fn owned(answer: libc::c_long) -> io::Result<OwnedFd> {
    let fd = check(answer)?;
    let fd = i32::try_from(fd).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: the caller states that the kernel just gave us this descriptor,
    // and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
