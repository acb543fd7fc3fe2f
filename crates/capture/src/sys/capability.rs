//! Capabilities of threads: capabilities(7), capset(2), prctl(2).

use super::check;
use std::io;

pub(crate) const NET_ADMIN: u32 = 12;
pub(crate) const SYS_PTRACE: u32 = 19;
pub(crate) const SYS_ADMIN: u32 = 21;
pub(crate) const PERFMON: u32 = 38;
pub(crate) const BPF: u32 = 39;

/// _LINUX_CAPABILITY_VERSION_3 of linux/capability.h: 64 bits.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// Each word is the low half and the high half of its set.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The sets of the calling thread that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sets {
    pub effective: u64,
    pub permitted: u64,
}

pub(crate) const fn bit(capability: u32) -> u64 {
    1 << capability
}

pub(crate) fn get() -> io::Result<Sets> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: version 3 writes two entries of `data`; both live through the call.
    check(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) })?;
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    let [low, high] = data;
    Ok(Sets {
        effective: join(low.effective, high.effective),
        permitted: join(low.permitted, high.permitted),
    })
}

/// Sets them for the calling thread, and nothing is inheritable. What is taken
/// out of the permitted set cannot come back.
pub(crate) fn set(sets: Sets) -> io::Result<()> {
    let mut header = Header { version: VERSION, pid: 0 };
    let half = |shift: u32| Data {
        effective: (sets.effective >> shift) as u32,
        permitted: (sets.permitted >> shift) as u32,
        inheritable: 0,
    };
    let data = [half(0), half(32)];
    // SAFETY: version 3 reads two entries of `data`; both live through the call.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, data.as_ptr()) }).map(drop)
}

fn control(option: libc::c_int, value: u64) -> io::Result<()> {
    // SAFETY: the options below take numbers only.
    let answer = unsafe { libc::prctl(option, value, 0u64, 0u64, 0u64) };
    check(answer.into()).map(drop)
}

/// No program that the calling thread starts has more than it has.
pub(crate) fn no_new_privileges() -> io::Result<()> {
    control(libc::PR_SET_NO_NEW_PRIVS, 1)
}

pub(crate) fn clear_ambient() -> io::Result<()> {
    control(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u64)
}

/// Takes everything else out of the calling thread's bounding set. Needs
/// CAP_SETPCAP.
pub(crate) fn bound(keep: u64) -> io::Result<()> {
    for capability in 0..64 {
        if keep & bit(capability) != 0 {
            continue;
        }
        match control(libc::PR_CAPBSET_DROP, capability.into()) {
            // This kernel has no more of them.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return Ok(()),
            answer => answer?,
        }
    }
    Ok(())
}
