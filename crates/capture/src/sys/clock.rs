//! The clocks that packets are stamped with.

/// Nanoseconds of a clock.
fn read(clock: libc::clockid_t) -> i128 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing. The call fails only for a clock that
    // does not exist; the two below do on every Linux.
    unsafe { libc::clock_gettime(clock, &mut time) };
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// What `bpf_ktime_get_coarse_ns` reads: nanoseconds since some past instant,
/// at the resolution of the timer tick.
pub(crate) fn monotonic_coarse_ns() -> u64 {
    u64::try_from(read(libc::CLOCK_MONOTONIC_COARSE)).unwrap_or(0)
}

/// What to add to a monotonic instant to have it since 1970.
pub(crate) fn unix_offset_ns() -> i128 {
    read(libc::CLOCK_REALTIME) - read(libc::CLOCK_MONOTONIC)
}
