//! Names for maps, programs and links in the BPF filesystem: what has one
//! outlives the process.

use super::bpf::call;
use super::{check, owned};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const BPF_OBJ_PIN: libc::c_long = 6;
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_LINK_UPDATE: libc::c_long = 29;
/// linux/magic.h
const BPF_FS_MAGIC: u32 = 0xcafe_4a11;

#[repr(C)]
#[derive(Default)]
struct Object {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Gives a map, program or link a name.
pub(crate) fn pin(object: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    let mut attr =
        Object { pathname: path.as_ptr() as u64, bpf_fd: object.as_raw_fd() as u32, ..Object::default() };
    // SAFETY: the path ends with a zero and lives through the call.
    check(unsafe { call(BPF_OBJ_PIN, &mut attr) }).map(drop)
}

/// The map, program or link with a name; `None` if there is none.
pub(crate) fn get(path: &Path) -> io::Result<Option<OwnedFd>> {
    let path = c_path(path)?;
    let mut attr = Object { pathname: path.as_ptr() as u64, ..Object::default() };
    // SAFETY: the path ends with a zero and lives through the call; OBJ_GET
    // returns a new descriptor.
    match unsafe { owned(call(BPF_OBJ_GET, &mut attr)) } {
        Ok(fd) => Ok(Some(fd)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

#[repr(C)]
#[derive(Default)]
struct LinkUpdate {
    link_fd: u32,
    new_prog_fd: u32,
    flags: u32,
    old_prog_fd: u32,
}

/// Puts another program behind a link, in one step.
pub(crate) fn update_link(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    let mut attr = LinkUpdate {
        link_fd: link.as_raw_fd() as u32,
        new_prog_fd: program.as_raw_fd() as u32,
        ..LinkUpdate::default()
    };
    // SAFETY: no addresses.
    check(unsafe { call(BPF_LINK_UPDATE, &mut attr) }).map(drop)
}

/// Whether a folder lies in a BPF filesystem.
pub(crate) fn is_bpf_filesystem(path: &Path) -> bool {
    let Ok(path) = c_path(path) else { return false };
    // SAFETY: statfs holds integers and arrays of them: zero is valid.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero; `found` is valid for writing.
    let answer = unsafe { libc::statfs(path.as_ptr(), &mut found) };
    answer == 0 && found.f_type as u32 == BPF_FS_MAGIC
}

/// Mounts a BPF filesystem that only this user can enter.
pub(crate) fn mount_bpf_filesystem(at: &Path) -> io::Result<()> {
    let at = c_path(at)?;
    // SAFETY: all four are C strings that live through the call.
    let answer = unsafe {
        libc::mount(
            c"bpf".as_ptr(),
            at.as_ptr(),
            c"bpf".as_ptr(),
            libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC,
            c"mode=0700".as_ptr().cast(),
        )
    };
    check(answer.into()).map(drop)
}
