//! What can go wrong between Weir and the kernel, in words for who runs it.

use crate::InterfaceNumber;
use std::io;

/// A failed operation of this crate. The cause, where there is one, is the
/// `source`, not part of the text.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The process may not do what capture needs.
    #[error(
        "capture needs {}, which this process lacks: run it as root, or give it these capabilities \
         (systemd: AmbientCapabilities=; a file: setcap)",
        .missing.join(" and ")
    )]
    MissingCapabilities {
        /// Names as in capabilities(7).
        missing: Vec<&'static str>,
    },
    /// There is no bpf(2), or it is forbidden in this container.
    #[error(
        "this kernel has no bpf system call (or a seccomp profile hides it): it needs CONFIG_BPF_SYSCALL, \
         and a container that may use it"
    )]
    NoBpf,
    /// The kernel is older than 6.6 or built without tcx.
    #[error("kernel {release} has no tcx: capture needs Linux 6.6 or later with CONFIG_NET_XGRESS")]
    NoTcx {
        /// As `uname -r` prints it.
        release: String,
    },
    /// The network namespace is not there.
    #[error("network namespace '{netns}' not found: 'ip netns list' shows the names, or give a path")]
    NamespaceNotFound {
        netns: String,
        #[source]
        source: io::Error,
    },
    /// Something else has that name.
    #[error("'{netns}' is not a network namespace: 'ip netns list' shows the names, or give a path")]
    NotANamespace { netns: String },
    /// The device is not there.
    #[error("device '{device}' not found in {}: 'ip link' shows the devices", place(.netns))]
    DeviceNotFound { device: String, netns: Option<String> },
    /// The device's frames do not begin with an Ethernet header.
    #[error(
        "device '{device}' in {} carries no Ethernet frames (link type {link_type}): \
         attach to the Ethernet device under or beside it",
        place(.netns)
    )]
    NotEthernet {
        device: String,
        netns: Option<String>,
        /// ARPHRD_ number of linux/if_arp.h.
        link_type: u16,
    },
    /// The number is in use: detach it first.
    #[error("interface {0} is already attached: detach it first")]
    AlreadyAttached(InterfaceNumber),
    /// Another interface sits on the device; its packets would count twice.
    #[error(
        "device '{device}' in {} already belongs to interface {number}: detach that first",
        place(.netns)
    )]
    DeviceTaken { device: String, netns: Option<String>, number: InterfaceNumber },
    /// No such interface.
    #[error("interface {0} is not attached")]
    NotAttached(InterfaceNumber),
    /// The number is past what the maps were made for.
    #[error("interface {number} is past the {limit} interfaces that capture was started with")]
    TooManyInterfaces { number: InterfaceNumber, limit: u32 },
    /// A size of zero, or one the kernel cannot index.
    #[error("capture cannot start with {value} {what}: give at least 1 and at most {limit}")]
    BadSize { what: &'static str, value: u32, limit: u32 },
    /// The window is not the one that waits to be cleared.
    #[error("window {0} is not the closed window that waits to be cleared")]
    WrongWindow(u64),
    /// The embedded BPF object cannot be used: a fault of this build.
    #[error("the embedded BPF object is unusable: {what}")]
    Object { what: String },
    /// The verifier refused a program: a fault of this build on this kernel.
    #[error("the kernel refused BPF program {program}: {log}")]
    Refused {
        program: &'static str,
        /// The verifier's last words.
        log: String,
        #[source]
        source: io::Error,
    },
    /// What the host's firewall drops cannot be seen on this kernel.
    #[error("this kernel does not show what its firewall drops: {what}")]
    NoDrops { what: String },
    /// Anything else that the operating system refused.
    #[error("failed to {action}")]
    System {
        action: String,
        #[source]
        source: io::Error,
    },
}

fn place(netns: &Option<String>) -> String {
    netns.as_ref().map_or_else(
        || "this process's network namespace".to_owned(),
        |name| format!("network namespace '{name}'"),
    )
}

impl CaptureError {
    /// For `map_err`: what was being done when the system said no.
    pub(crate) fn doing(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::System { action: action.into(), source }
    }
}
