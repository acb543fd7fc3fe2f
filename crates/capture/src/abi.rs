//! What kernel and agent share: keys and values of the BPF maps.
//!
//! The same structures stand in `bpf/types.h`. Sizes are asserted here at
//! compile time and compared with the object's own when it is loaded; offsets
//! are held by the tests, which read in Rust what the programs wrote in C.
//!
//! Ports are in host byte order, addresses as on the wire, IPv4 as
//! `::ffff:a.b.c.d`. Padding is a named field.

/// Types that are nothing but their bytes.
///
/// # Safety
/// `repr(C)`, no padding, and every pattern of bits is a value.
pub(crate) unsafe trait Plain: Copy + Default + 'static {}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident, $size:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        // The whole is as large as its parts: there is no padding.
        const _: () = assert!(size_of::<$name>() == 0 $(+ size_of::<$type>())*);
        const _: () = assert!(size_of::<$name>() == $size);

        // SAFETY: repr(C), no padding (asserted above), fields are integers and
        // arrays of integers or of other plain types.
        unsafe impl Plain for $name {}
    )*};
}

// SAFETY: an integer has no padding and no invalid value.
unsafe impl Plain for u32 {}
// SAFETY: the same.
unsafe impl Plain for u64 {}

plain! {
    /// One flow of one window: what becomes one record.
    FlowKey, 44 {
        src: [u8; 16],
        dst: [u8; 16],
        src_port: u16,
        dst_port: u16,
        interface: u32,
        protocol: u8,
        direction: u8,
        action: u8,
        /// 4 or 6.
        family: u8,
    }

    Flow, 40 {
        packets: u64,
        bytes: u64,
        /// CLOCK_MONOTONIC_COARSE.
        first_ns: u64,
        last_ns: u64,
        /// And in the highest byte the reason of the first packet's verdict.
        tcp_flags: u32,
        /// The number of the rule that decided it.
        rule: u32,
    }

    /// A tracked connection: its two ends in a fixed order.
    ConnectionKey, 44 {
        low: [u8; 16],
        high: [u8; 16],
        low_port: u16,
        high_port: u16,
        interface: u32,
        protocol: u8,
        family: u8,
        zero: u16,
    }

    Connection, 40 {
        last_seen_ns: u64,
        flags: u32,
        fin_seq: [u32; 2],
        acl: [u32; 4],
        rule: u32,
    }

    FragmentKey, 44 {
        src: [u8; 16],
        dst: [u8; 16],
        interface: u32,
        id: u32,
        protocol: u8,
        direction: u8,
        family: u8,
        zero: u8,
    }

    Fragment, 10 {
        src_port: u16,
        dst_port: u16,
        echo_id: u16,
        protocol: u8,
        icmp_type: u8,
        icmp_code: u8,
        zero: u8,
    }

    Interface, 8 {
        mode: u32,
        generation: u32,
    }

    /// What could not be counted or tracked, per interface and epoch slot.
    Losses, 40 {
        skipped_packets: u64,
        skipped_bytes: u64,
        malformed_packets: u64,
        untracked_connections: u64,
        /// That have an entry.
        flows: u64,
    }

    Control, 32 {
        test_clock_ns: u64,
        epoch: u32,
        drops_epoch: u32,
        /// Entries of the flow table that each interface may always have.
        own_flows: u32,
        /// Those for who comes first.
        common_flows: u32,
        own_connections: u32,
        common_connections: u32,
    }

    /// A device of this machine.
    DeviceKey, 8 {
        /// The inode of its network namespace.
        netns: u32,
        index: u32,
    }

    /// The interface on a device.
    Device, 8 {
        interface: u32,
        /// 1 on the host's end of a cable.
        swap: u32,
    }

    /// Which interface a number is: kept for the next process, read by no program.
    Name, 32 {
        /// `eni-…`, filled up with zeros.
        interface: [u8; 28],
        /// 1 on the host's end of a cable.
        swap: u32,
    }

    /// The windows, for the next process; read by no program.
    State, 104 {
        /// [`layout`] of who made the maps.
        layout: u64,
        /// Of the running window. Packets may be one ahead: a turn was under way.
        epoch: u64,
        opened_ns: u64,
        /// [`NOT_CLOSED`], [`CLOSED`] or [`SAVED`]: the window before.
        closed: u64,
        closed_opened_ns: u64,
        closed_ns: u64,
        closed_missed: u64,
        /// The caller's own notes.
        memo: [u64; 6],
    }

    Rule, 64 {
        addr: [u8; 16],
        mask: [u8; 16],
        /// [`ports`].
        ports: u64,
        /// [`what`], already masked.
        what: u64,
        what_mask: u64,
        number: u32,
        verdict: u8,
        zero: [u8; 3],
    }

    /// Where a list of rules begins and how far it goes, in chunks.
    List, 32 {
        first: u32,
        chunks: u32,
        /// 1: it begins with untracked rules.
        untracked: u32,
        /// Words of an index's row, as a power of two.
        row_shift: u8,
        /// Rules of a bit, likewise.
        group_shift: u8,
        /// 1: the bounds are in several chunks. By address, by port.
        deep: [u8; 2],
        /// Chunk; 0: no index.
        bounds: [u32; 2],
        rows: [u32; 2],
    }

    /// Chunk 0 of an interface's rules: where the lists are.
    Header, 128 {
        /// ACL ingress, ACL egress, groups ingress, groups egress.
        lists: [List; 4],
    }
}

/// Rules that one element of an inner rules map holds.
pub const CHUNK: usize = 16;

/// Bytes of one element of an inner rules map.
pub const CHUNK_BYTES: usize = CHUNK * size_of::<Rule>();

/// Words of eight bytes that one element of an inner rules map holds.
pub const CHUNK_WORDS: usize = CHUNK_BYTES / 8;

/// Places in [`List::bounds`] and [`List::rows`].
#[cfg(test)]
pub const BY_ADDRESS: usize = 0;
#[cfg(test)]
pub const BY_PORT: usize = 1;

/// Bounds of an index that one element holds: the search for a place among them
/// takes seven steps.
pub const BOUNDS: usize = 127;

/// There is no closed window.
pub const NOT_CLOSED: u64 = 0;
/// It is still to be read and saved.
pub const CLOSED: u64 = 1;
/// It is saved; it may not be cleared yet.
pub const SAVED: u64 = 2;

/// Grows when the meaning of a map's bytes changes while their number does not.
const LAYOUT_VERSION: u64 = 4;

/// Tells maps of one layout from those of another.
pub fn layout() -> u64 {
    let sizes = [
        size_of::<FlowKey>(),
        size_of::<Flow>(),
        size_of::<ConnectionKey>(),
        size_of::<Connection>(),
        size_of::<FragmentKey>(),
        size_of::<Fragment>(),
        size_of::<Interface>(),
        size_of::<Losses>(),
        size_of::<Control>(),
        size_of::<DeviceKey>(),
        size_of::<Device>(),
        size_of::<Name>(),
        CHUNK_BYTES,
        SKETCH,
    ];
    sizes.iter().fold(LAYOUT_VERSION, |sum, size| sum.wrapping_mul(1_000_003) ^ *size as u64)
}

/// The common part of the flow table of each epoch slot, and of the connections'.
pub const POOLS: u32 = 3;
pub const POOL_CONNECTIONS: u32 = 2;

/// Registers of a sketch of skipped flows.
pub const SKETCH: usize = 512;

pub const INGRESS: u8 = 0;
pub const EGRESS: u8 = 1;
pub const ACCEPT: u8 = 0;
pub const REJECT: u8 = 1;
/// Dropped by the host's firewall after it was counted as accepted.
pub const DROPPED: u8 = 2;
/// The same, left over from the window before.
pub const CARRIED: u8 = 3;

pub const OBSERVE: u32 = 0;
pub const EVALUATE: u32 = 1;
pub const ENFORCE: u32 = 2;

pub const VERDICT_ALLOW: u8 = 1;
pub const VERDICT_DENY: u8 = 2;
pub const VERDICT_UNTRACKED: u8 = 3;

/// A range of ports as a [`Rule`] holds it.
pub fn ports(first: u16, last: u16) -> u64 {
    (0x1_0000 - u64::from(first)) | u64::from(last) << 32
}

/// Family, protocol and ICMP type and code as a [`Rule`] holds them.
pub fn what(family: u8, protocol: u8, icmp: u32) -> u64 {
    u64::from(family) | u64::from(protocol) << 8 | u64::from(icmp) << 32
}

/// In a [`Rule`]'s ICMP mask: the type matters.
pub const ICMP_TYPE_MASK: u32 = 0x1_ff00;
/// In a [`Rule`]'s ICMP mask: the code matters. The bit that both masks share is
/// set in packets that are not ICMP.
pub const ICMP_CODE_MASK: u32 = 0x1_00ff;

/// Bits of [`Connection::flags`]; those per direction are shifted by it.
pub mod flag {
    pub const SEEN: u32 = 1 << 1;
    pub const FIN: u32 = 1 << 3;
    pub const CLOSED: u32 = 1 << 7;
    pub const STREAM: u32 = 1 << 8;
    #[cfg(test)]
    pub const REFUSED: u32 = 1 << 9;
}

/// The bytes of a plain value.
pub(crate) fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: `Plain` has no padding, so all size_of::<T>() bytes are
    // initialised; the slice borrows `value` and so does not outlive it.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// The bytes of a plain value, to be overwritten.
pub(crate) fn bytes_of_mut<T: Plain>(value: &mut T) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; and every pattern of bits is a `T`, so whatever
    // is written leaves a valid value.
    unsafe { std::slice::from_raw_parts_mut(std::ptr::from_mut(value).cast(), size_of::<T>()) }
}

/// A plain value from its bytes; bytes that are missing are zero.
pub(crate) fn read<T: Plain>(bytes: &[u8]) -> T {
    let mut value = T::default();
    let n = bytes.len().min(size_of::<T>());
    bytes_of_mut(&mut value)[..n].copy_from_slice(&bytes[..n]);
    value
}
