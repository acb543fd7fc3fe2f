//! What this process may do: after its start no more than capture needs.
//!
//! | capability | for |
//! |---|---|
//! | CAP_BPF | maps and programs |
//! | CAP_NET_ADMIN | programs on devices |
//! | CAP_PERFMON | pointer arithmetic in programs, the tracepoint of drops |
//! | CAP_SYS_ADMIN | setns(2) into another network namespace; mounting a BPF filesystem |
//! | CAP_SYS_PTRACE | opening the namespace of another's process, `/proc/PID/ns/net` |
//!
//! The first three are in force in every thread. The last two are not: they are
//! only permitted, and in force on a thread of their own for as long as one
//! call takes. There is no other way into a namespace: rtnetlink can name
//! devices of others, but a program is attached in the caller's own. Whoever
//! captures in one namespace only can start the process without them.

use crate::error::CaptureError;
use crate::sys::capability::{self, BPF, NET_ADMIN, PERFMON, SYS_ADMIN, SYS_PTRACE, Sets, bit};
use std::io;

const ALWAYS: u64 = bit(BPF) | bit(NET_ADMIN) | bit(PERFMON);
const SOMETIMES: u64 = bit(SYS_ADMIN) | bit(SYS_PTRACE);

/// Gives up every capability but those above, for good, and lets no program that
/// this process starts have more. For the only thread of a process: others keep
/// what they have.
///
/// # Errors
/// There are other threads; the kernel refuses (a seccomp profile).
pub fn give_up() -> Result<(), CaptureError> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    let alone = if threads == 1 { Ok(()) } else { Err(io::Error::other(format!("{threads} threads run"))) };
    alone.and_then(|()| drop_all()).map_err(CaptureError::doing("give up capabilities that are not needed"))
}

fn drop_all() -> io::Result<()> {
    let now = capability::get()?;
    // Who may not do it has nothing that it could win back: see below.
    if let Err(error) = capability::bound(ALWAYS | SOMETIMES) {
        tracing::debug!(%error, "the bounding set stays as it is");
    }
    capability::no_new_privileges()?;
    capability::clear_ambient()?;
    capability::set(left_of(now))
}

/// CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON: who has only it needs it
/// always.
fn left_of(now: Sets) -> Sets {
    let permitted = now.permitted & (ALWAYS | SOMETIMES);
    let is_whole = permitted & ALWAYS == ALWAYS;
    let effective = if is_whole { ALWAYS } else { ALWAYS | bit(SYS_ADMIN) };
    Sets { permitted, effective: permitted & effective }
}

/// Runs a closure on a thread of its own in which every permitted capability is
/// in force, and waits for it. A panic of the closure goes on here.
pub(crate) fn with_all<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // If this fails, the work says what it was not allowed.
            if let Ok(now) = capability::get() {
                let _ = capability::set(Sets { effective: now.permitted, ..now });
            }
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left() {
        let all = (1 << 41) - 1;
        for (permitted, effective, expected_permitted, expected_effective) in [
            (all, all, ALWAYS | SOMETIMES, ALWAYS),
            (0, 0, 0, 0),
            (ALWAYS, ALWAYS, ALWAYS, ALWAYS),
            (bit(0), bit(0), 0, 0),
            (
                bit(SYS_ADMIN) | bit(NET_ADMIN),
                bit(SYS_ADMIN) | bit(NET_ADMIN),
                bit(SYS_ADMIN) | bit(NET_ADMIN),
                bit(SYS_ADMIN) | bit(NET_ADMIN),
            ),
        ] {
            let found = left_of(Sets { permitted, effective });
            let expected = Sets { permitted: expected_permitted, effective: expected_effective };
            assert_eq!(found, expected, "{permitted:x} {effective:x}");
        }
    }

    #[test]
    fn a_process_with_threads_is_refused() {
        // The test harness has more than one.
        let busy = std::thread::spawn(|| give_up().map_err(|error| error.to_string()));
        assert!(busy.join().unwrap().unwrap_err().contains("give up capabilities"));
    }
}
