//! Whether this machine and process can capture at all, and if not, why.

use crate::error::CaptureError;
use crate::sys::bpf::{self, Hook};
use crate::sys::capability;
use crate::sys::map::{Map, MapSpec, TYPE_ARRAY};

/// What capture needs ([`crate::privileges`] says for what). Other network
/// namespaces need more, and say so themselves.
const NEEDED: [(&str, u32); 3] = [
    ("CAP_BPF", capability::BPF),
    ("CAP_NET_ADMIN", capability::NET_ADMIN),
    ("CAP_PERFMON", capability::PERFMON),
];

/// Any device index; the loopback device of a namespace.
const LOOPBACK: u32 = 1;

/// See [`crate::Capture::probe`].
pub(crate) fn probe() -> Result<(), CaptureError> {
    let missing = missing(effective_capabilities());
    if !missing.is_empty() {
        return Err(CaptureError::MissingCapabilities { missing });
    }
    let spec = MapSpec {
        name: "weir_probe",
        map_type: TYPE_ARRAY,
        key_size: 4,
        value_size: 4,
        max_entries: 1,
        flags: 0,
    };
    if let Err(source) = Map::create(&spec, None) {
        return Err(match source.raw_os_error() {
            // With every capability at hand EPERM is a seccomp profile's answer.
            Some(libc::ENOSYS | libc::EPERM) => CaptureError::NoBpf,
            _ => CaptureError::System { action: "make a BPF map".to_owned(), source },
        });
    }
    match bpf::count_programs(LOOPBACK, Hook::Ingress) {
        // A namespace whose loopback device has another index is as good.
        Ok(_) => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
        Err(_) => Err(CaptureError::NoTcx { release: release() }),
    }
}

/// CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON: capabilities(7).
fn missing(effective: u64) -> Vec<&'static str> {
    let has = |bit: u32| effective & (1 << bit) != 0;
    let everything = has(capability::SYS_ADMIN);
    NEEDED
        .iter()
        .filter(|(name, bit)| {
            let included = everything && matches!(*name, "CAP_BPF" | "CAP_PERFMON");
            !has(*bit) && !included
        })
        .map(|(name, _)| *name)
        .collect()
}

/// The calling thread's effective capabilities; all of them if the kernel does
/// not say, so that the calls themselves give the answer.
fn effective_capabilities() -> u64 {
    std::fs::read_to_string("/proc/thread-self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
            u64::from_str_radix(line.trim(), 16).ok()
        })
        .unwrap_or(u64::MAX)
}

fn release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| "(unknown)".to_owned(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn what_is_missing_is_named() {
        for (effective, expected) in [
            (u64::MAX, &[][..]),
            (0, &["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"]),
            (1 << 21, &["CAP_NET_ADMIN"]),
            (1 << 39 | 1 << 12, &["CAP_PERFMON"]),
            (1 << 39 | 1 << 38 | 1 << 12, &[]),
        ] {
            assert_eq!(missing(effective), expected, "{effective:x}");
        }
    }
}
