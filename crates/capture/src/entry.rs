//! The programs that hang at a device: they say whose packet it is and go on in
//! the programs that all interfaces share.
//!
//! ```text
//! device ─▶ entry: number << 1 | swap to skb->cb[0] ─▶ tail call ─▶ weir_ingress | weir_egress
//! ```
//!
//! The kernel gives a program no identity of its device that holds across
//! network namespaces, so each interface has entries of its own. They are nine
//! instructions long: the verifier reads the large programs once, not once per
//! interface. The control block is the classifiers' own at this hook; Weir's
//! programs are the first there.
//!
//! A tail call whose array has no program ends the entry: the packet passes,
//! uncounted. So the array is filled before the first entry is attached, and it
//! is pinned with the maps: without a descriptor or a pin the kernel empties it.

use crate::InterfaceNumber;
use crate::error::CaptureError;
use crate::sys::bpf::{self, TCX_NEXT, instruction};
use aya_obj::generated::bpf_insn;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use weir_types::orders::Side;

/// Where an array of programs has those for each hook.
pub(crate) const INGRESS: u32 = 0;
pub(crate) const EGRESS: u32 = 1;
/// So many it has.
pub(crate) const HOOKS: u32 = 2;

/// Offsets in `struct __sk_buff`.
const CB_0: i16 = 48;
#[cfg(any(test, feature = "testrun"))]
const DATA: i16 = 76;
#[cfg(any(test, feature = "testrun"))]
const DATA_END: i16 = 80;

const TAIL_CALL: i32 = 12;
/// A load of a descriptor as the map it is.
const PSEUDO_MAP_FD: u8 = 1;

/// With the context in r6.
fn jump(number: InterfaceNumber, side: Side, programs: BorrowedFd<'_>, hook: u32) -> [bpf_insn; 8] {
    let tag = number.0 << 1 | u32::from(side == Side::Host);
    [
        instruction(0xb4, 2, 0, 0, tag.cast_signed()), // w2 = tag
        instruction(0x63, 6, 2, CB_0, 0),              // skb->cb[0] = w2
        instruction(0xbf, 1, 6, 0, 0),                 // r1 = skb
        instruction(0x18, 2, PSEUDO_MAP_FD, 0, programs.as_raw_fd()), // r2 = programs
        instruction(0, 0, 0, 0, 0),
        instruction(0xb7, 3, 0, 0, hook.cast_signed()), // r3 = hook
        instruction(0x85, 0, 0, 0, TAIL_CALL),
        instruction(0xb7, 0, 0, 0, TCX_NEXT),
    ]
}

/// Loads the entry of one interface and hook.
pub(crate) fn load(
    number: InterfaceNumber,
    side: Side,
    programs: BorrowedFd<'_>,
    hook: u32,
    btf: BorrowedFd<'_>,
) -> Result<OwnedFd, CaptureError> {
    submit(&[], jump(number, side, programs, hook), btf)
}

/// The entry of an instance's end, for what comes in, that first adds one to the
/// source address, IPv4: run again and again on one frame it gives a new flow
/// each time.
#[cfg(any(test, feature = "testrun"))]
pub(crate) fn load_renewing(
    number: InterfaceNumber,
    programs: BorrowedFd<'_>,
    btf: BorrowedFd<'_>,
) -> Result<OwnedFd, CaptureError> {
    const SOURCE: i16 = 26;
    let renew = [
        instruction(0x61, 2, 6, DATA, 0),     // r2 = data
        instruction(0x61, 3, 6, DATA_END, 0), // r3 = data_end
        instruction(0xbf, 4, 2, 0, 0),
        instruction(0x07, 4, 0, 0, i32::from(SOURCE) + 4),
        instruction(0x2d, 4, 3, 5, 0), // past the end: as it is
        instruction(0x61, 5, 2, SOURCE, 0),
        instruction(0xdc, 5, 0, 0, 32), // to host order
        instruction(0x04, 5, 0, 0, 1),
        instruction(0xdc, 5, 0, 0, 32),
        instruction(0x63, 2, 5, SOURCE, 0),
    ];
    submit(&renew, jump(number, Side::Instance, programs, INGRESS), btf)
}

fn submit(before: &[bpf_insn], jump: [bpf_insn; 8], btf: BorrowedFd<'_>) -> Result<OwnedFd, CaptureError> {
    let mut instructions = vec![instruction(0xbf, 6, 1, 0, 0)]; // r6 = skb
    instructions.extend_from_slice(before);
    instructions.extend(jump);
    instructions.push(instruction(0x95, 0, 0, 0, 0)); // exit
    bpf::load_plain("weir_entry", &instructions, btf).map_err(|(source, log)| CaptureError::Refused {
        program: "weir_entry",
        log,
        source,
    })
}
