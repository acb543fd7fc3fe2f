//! bpf(2): programs, links, BTF, test runs, and the grace period between a
//! change and the certainty that no packet still sees what was before.
//!
//! Each `attr` structure below is the leading part of the kernel's union
//! `bpf_attr` for one command; the kernel takes its size and treats the rest
//! as zero. Source: include/uapi/linux/bpf.h.

use super::{check, owned};
use aya_obj::generated::{bpf_insn, bpf_prog_info};
use std::ffi::CStr;
use std::io;
#[cfg(test)]
use std::os::fd::AsFd;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

const BPF_PROG_LOAD: libc::c_long = 5;
#[cfg(any(test, feature = "testrun"))]
const BPF_PROG_TEST_RUN: libc::c_long = 10;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_PROG_QUERY: libc::c_long = 16;
const BPF_RAW_TRACEPOINT_OPEN: libc::c_long = 17;
const BPF_BTF_LOAD: libc::c_long = 18;
const BPF_LINK_CREATE: libc::c_long = 28;

const BPF_PROG_TYPE_SCHED_CLS: u32 = 3;
const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_TRACE_RAW_TP: u32 = 23;
const BPF_F_BEFORE: u32 = 1 << 3;
/// Programs of one hook that a link may be placed before; as the kernel names it.
const BPF_LINK_TYPE_TCX: u32 = 11;

/// A tcx hook of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Hook {
    Ingress = 46,
    Egress = 47,
}

/// One bpf(2) call.
///
/// # Safety
/// `T` begins like `union bpf_attr` for `command`, without padding the kernel
/// would read, and every address in it points to memory that is valid for what
/// the command reads or writes there.
pub(super) unsafe fn call<T>(command: libc::c_long, attr: &mut T) -> libc::c_long {
    // SAFETY: the caller's; the size given is that of `attr`.
    unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<T>()) }
}

/// A name as the kernel keeps it: 15 bytes and a zero.
pub(super) fn name_of(text: &str) -> [u8; 16] {
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(text.bytes().take(15)) {
        *to = from;
    }
    name
}

#[repr(C)]
#[derive(Default)]
struct ProgLoad {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
    prog_btf_fd: u32,
    func_info_rec_size: u32,
    func_info: u64,
    func_info_cnt: u32,
    line_info_rec_size: u32,
    line_info: u64,
    line_info_cnt: u32,
    attach_btf_id: u32,
}

/// What a program hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A tcx hook: SCHED_CLS.
    Classifier,
    /// A tracepoint, given by the id of its type in the kernel's type information.
    Tracepoint(u32),
}

/// A program, ready for the verifier.
pub(crate) struct Program<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub instructions: &'a [bpf_insn],
    pub license: &'a CStr,
    pub btf: BorrowedFd<'a>,
    pub func_info: &'a [u8],
    pub func_info_record: u32,
    pub line_info: &'a [u8],
    pub line_info_record: u32,
}

/// What a program at tcx returns to let the next one decide: `TCX_NEXT`.
pub(crate) const TCX_NEXT: i32 = -1;

/// One instruction; registers by number.
pub(crate) fn instruction(code: u8, to: u8, from: u8, off: i16, imm: i32) -> bpf_insn {
    let registers = bpf_insn::new_bitfield_1(to, from);
    bpf_insn { code, _bitfield_align_1: [], _bitfield_1: registers, off, imm }
}

/// Loads a classifier that was made here and so has no source to point at. As [`load_program`].
pub(crate) fn load_plain(
    name: &str,
    instructions: &[bpf_insn],
    btf: BorrowedFd<'_>,
) -> Result<OwnedFd, (io::Error, String)> {
    load_program(&Program {
        name,
        kind: Kind::Classifier,
        instructions,
        license: c"GPL",
        btf,
        func_info: &[],
        func_info_record: 0,
        line_info: &[],
        line_info_record: 0,
    })
}

/// Loads a program. On refusal the error comes with the verifier's last words.
pub(crate) fn load_program(program: &Program<'_>) -> Result<OwnedFd, (io::Error, String)> {
    let mut log = Vec::new();
    let mut answer = try_load(program, &mut log);
    // The verifier gives up when a signal waits (libbpf tries again as well).
    for _ in 0..100 {
        match &answer {
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => answer = try_load(program, &mut log),
            _ => break,
        }
    }
    match answer {
        Ok(fd) => Ok(fd),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EACCES | libc::EINVAL)) => {
            log = vec![0; 16 << 20];
            let again = try_load(program, &mut log);
            let end = log.iter().position(|&b| b == 0).unwrap_or(log.len());
            let words = String::from_utf8_lossy(&log[end.saturating_sub(4096)..end]).into_owned();
            again.map_err(|error| (error, words))
        }
        Err(error) => Err((error, String::new())),
    }
}

fn try_load(program: &Program<'_>, log: &mut [u8]) -> io::Result<OwnedFd> {
    let count = |len: usize, record: u32| (len / (record as usize).max(1)) as u32;
    let (prog_type, expected_attach_type, attach_btf_id) = match program.kind {
        Kind::Classifier => (BPF_PROG_TYPE_SCHED_CLS, 0, 0),
        Kind::Tracepoint(id) => (BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, id),
    };
    let mut attr = ProgLoad {
        prog_type,
        expected_attach_type,
        attach_btf_id,
        insn_cnt: program.instructions.len() as u32,
        insns: program.instructions.as_ptr() as u64,
        license: program.license.as_ptr() as u64,
        log_level: u32::from(!log.is_empty()),
        log_size: log.len() as u32,
        log_buf: if log.is_empty() { 0 } else { log.as_mut_ptr() as u64 },
        prog_name: name_of(program.name),
        prog_btf_fd: program.btf.as_raw_fd() as u32,
        func_info_rec_size: program.func_info_record,
        func_info: program.func_info.as_ptr() as u64,
        func_info_cnt: count(program.func_info.len(), program.func_info_record),
        line_info_rec_size: program.line_info_record,
        line_info: program.line_info.as_ptr() as u64,
        line_info_cnt: count(program.line_info.len(), program.line_info_record),
        ..ProgLoad::default()
    };
    // SAFETY: the slices and the license live through the call and are as long
    // as stated; bpf_insn is the kernel's 8-byte instruction; PROG_LOAD returns
    // a new descriptor.
    unsafe { owned(call(BPF_PROG_LOAD, &mut attr)) }
}

#[repr(C)]
#[derive(Default)]
struct BtfLoad {
    btf: u64,
    btf_log_buf: u64,
    btf_size: u32,
    btf_log_size: u32,
    btf_log_level: u32,
    btf_log_true_size: u32,
}

/// Loads type information.
pub(crate) fn load_btf(btf: &[u8]) -> io::Result<OwnedFd> {
    let mut attr = BtfLoad { btf: btf.as_ptr() as u64, btf_size: btf.len() as u32, ..BtfLoad::default() };
    // SAFETY: `btf` lives through the call and is as long as stated; BTF_LOAD
    // returns a new descriptor.
    unsafe { owned(call(BPF_BTF_LOAD, &mut attr)) }
}

#[repr(C)]
#[derive(Default)]
struct LinkCreate {
    prog_fd: u32,
    target_ifindex: u32,
    attach_type: u32,
    flags: u32,
    relative_fd: u32,
    zero: u32,
    expected_revision: u64,
}

/// Attaches a program to a device of the calling thread's network namespace, in
/// front of the programs that are there: those may end the chain. The link
/// stays when the thread leaves the namespace, and goes when its descriptor is
/// closed or the device vanishes.
pub(crate) fn create_link(program: BorrowedFd<'_>, device: u32, hook: Hook) -> io::Result<OwnedFd> {
    let mut attr = LinkCreate {
        prog_fd: program.as_raw_fd() as u32,
        target_ifindex: device,
        attach_type: hook as u32,
        flags: BPF_F_BEFORE,
        ..LinkCreate::default()
    };
    // SAFETY: no addresses; LINK_CREATE returns a new descriptor.
    unsafe { owned(call(BPF_LINK_CREATE, &mut attr)) }
}

#[repr(C)]
#[derive(Default)]
struct RawTracepointOpen {
    name: u64,
    prog_fd: u32,
    zero: u32,
}

/// Attaches a program to the tracepoint that it was loaded for. The link goes
/// when its descriptor is closed.
pub(crate) fn open_tracepoint(program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = RawTracepointOpen { prog_fd: program.as_raw_fd() as u32, ..RawTracepointOpen::default() };
    // SAFETY: the name is null, as it must be for a program that knows its
    // tracepoint; RAW_TRACEPOINT_OPEN returns a new descriptor.
    unsafe { owned(call(BPF_RAW_TRACEPOINT_OPEN, &mut attr)) }
}

/// How often a program was not run because it was running on that processor.
pub(crate) fn missed_runs(program: BorrowedFd<'_>) -> io::Result<u64> {
    // SAFETY: bpf_prog_info holds integers and arrays of them: zero is valid.
    let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
    let mut attr = InfoByFd {
        bpf_fd: program.as_raw_fd() as u32,
        info_len: size_of::<bpf_prog_info>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    // SAFETY: the kernel writes at most info_len bytes to `info`, which lives
    // through the call; its pointers and lengths are zero, so nothing else is
    // written.
    check(unsafe { call(BPF_OBJ_GET_INFO_BY_FD, &mut attr) })?;
    Ok(info.recursion_misses)
}

/// The head of the kernel's `bpf_map_info`.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct MapInfo {
    map_type: u32,
    id: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    map_flags: u32,
}

/// What a map is.
pub(crate) fn map_info(map: BorrowedFd<'_>) -> io::Result<MapInfo> {
    let mut info = MapInfo::default();
    let mut attr = InfoByFd {
        bpf_fd: map.as_raw_fd() as u32,
        info_len: size_of::<MapInfo>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    // SAFETY: the kernel writes at most info_len bytes to `info`, which lives
    // through the call and holds integers only.
    check(unsafe { call(BPF_OBJ_GET_INFO_BY_FD, &mut attr) })?;
    Ok(info)
}

#[repr(C)]
#[derive(Default)]
struct InfoByFd {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// The head of the kernel's `bpf_link_info` for tcx.
#[repr(C, align(8))]
#[derive(Default)]
struct LinkInfo {
    link_type: u32,
    id: u32,
    prog_id: u32,
    zero: u32,
    ifindex: u32,
    attach_type: u32,
}

/// The device that a tcx link is on; `None` when the device has vanished.
pub(crate) fn link_device(link: BorrowedFd<'_>) -> io::Result<Option<u32>> {
    let mut info = LinkInfo::default();
    let mut attr = InfoByFd {
        bpf_fd: link.as_raw_fd() as u32,
        info_len: size_of::<LinkInfo>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    // SAFETY: the kernel writes at most info_len bytes to `info`, which lives
    // through the call and holds integers only.
    check(unsafe { call(BPF_OBJ_GET_INFO_BY_FD, &mut attr) })?;
    Ok((info.link_type == BPF_LINK_TYPE_TCX && info.ifindex != 0).then_some(info.ifindex))
}

#[repr(C)]
#[derive(Default)]
struct ProgQuery {
    target_ifindex: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    prog_ids: u64,
    prog_cnt: u32,
    zero: u32,
    prog_attach_flags: u64,
    link_ids: u64,
    link_attach_flags: u64,
    revision: u64,
}

/// How many programs a hook of a device has. A kernel without tcx says EINVAL.
pub(crate) fn count_programs(device: u32, hook: Hook) -> io::Result<u32> {
    let mut attr = ProgQuery { target_ifindex: device, attach_type: hook as u32, ..ProgQuery::default() };
    // SAFETY: prog_ids is null and prog_cnt is 0: the kernel writes no ids.
    check(unsafe { call(BPF_PROG_QUERY, &mut attr) })?;
    Ok(attr.prog_cnt)
}

/// Waits until every packet that was being handled at the call has been: one
/// RCU grace period. `false`: this kernel does not offer it here (nohz_full).
pub(crate) fn grace_period() -> io::Result<bool> {
    const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
    // SAFETY: membarrier takes three integers and touches no memory of ours.
    match check(unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) }) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(any(test, feature = "testrun"))]
#[repr(C)]
#[derive(Default)]
struct TestRun {
    prog_fd: u32,
    retval: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    ctx_size_in: u32,
    ctx_size_out: u32,
    ctx_in: u64,
    ctx_out: u64,
}

/// Runs a program on one frame, `repeat` times. `gso` is (gso_size, gso_segs).
/// Answers the program's return value and the nanoseconds of one run.
#[cfg(any(test, feature = "testrun"))]
pub(crate) fn test_run(
    program: BorrowedFd<'_>,
    frame: &[u8],
    gso: (u32, u32),
    repeat: u32,
) -> io::Result<(i32, u32)> {
    // struct __sk_buff: gso_segs is its 42nd word, gso_size its 45th.
    let mut context = [0u32; 48];
    (context[41], context[44]) = (gso.1, gso.0);
    let mut attr = TestRun {
        prog_fd: program.as_raw_fd() as u32,
        data_size_in: frame.len() as u32,
        data_in: frame.as_ptr() as u64,
        repeat,
        ctx_size_in: size_of_val(&context) as u32,
        ctx_in: context.as_ptr() as u64,
        ..TestRun::default()
    };
    // SAFETY: `frame` and `context` live through the call and are as long as
    // stated; no output is asked for.
    check(unsafe { call(BPF_PROG_TEST_RUN, &mut attr) })?;
    Ok((attr.retval.cast_signed(), attr.duration))
}

/// The smallest program of a tcx hook: what a test run costs by itself.
#[cfg(any(test, feature = "testrun"))]
pub(crate) fn load_empty(btf: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // r0 = TCX_NEXT; exit
    let instructions = [instruction(0xb7, 0, 0, 0, TCX_NEXT), instruction(0x95, 0, 0, 0, 0)];
    load_plain("weir_empty", &instructions, btf).map_err(|(error, _)| error)
}

/// Another program of a host, for tests: it drops what goes to UDP port 80.
#[cfg(test)]
pub(crate) mod foreign {
    use super::*;

    const XDP: (u32, u32) = (6, 37);
    const CGROUP_EGRESS: (u32, u32) = (8, 1);

    fn instruction(code: u8, to: u8, from: u8, off: i16, imm: i32) -> bpf_insn {
        let registers = bpf_insn::new_bitfield_1(to, from);
        bpf_insn { code, _bitfield_align_1: [], _bitfield_1: registers, off, imm }
    }

    /// `data` is where the context says where the packet begins, four bytes before
    /// where it says where it ends; `port` is the offset of the destination port.
    fn load(kind: (u32, u32), data: i16, port: i16, pass: i32, drop: i32) -> io::Result<OwnedFd> {
        let instructions = [
            instruction(0x61, 2, 1, data, 0),
            instruction(0x61, 3, 1, data + 4, 0),
            instruction(0xbf, 4, 2, 0, 0),
            instruction(0x07, 4, 0, 0, i32::from(port) + 2),
            instruction(0xb7, 0, 0, 0, pass),
            instruction(0x2d, 4, 3, 3, 0),
            instruction(0x69, 5, 2, port, 0),
            instruction(0x55, 5, 0, 1, i32::from(80u16.to_be())),
            instruction(0xb7, 0, 0, 0, drop),
            instruction(0x95, 0, 0, 0, 0),
        ];
        let mut attr = ProgLoad {
            prog_type: kind.0,
            expected_attach_type: kind.1,
            insn_cnt: instructions.len() as u32,
            insns: instructions.as_ptr() as u64,
            license: c"GPL".as_ptr() as u64,
            prog_name: name_of("foreign"),
            ..ProgLoad::default()
        };
        // SAFETY: instructions and licence live through the call and are as long as
        // stated; PROG_LOAD returns a new descriptor.
        unsafe { owned(call(BPF_PROG_LOAD, &mut attr)) }
    }

    fn link(program: BorrowedFd<'_>, target: u32, attach_type: u32, flags: u32) -> io::Result<OwnedFd> {
        let prog_fd = program.as_raw_fd() as u32;
        let mut attr =
            LinkCreate { prog_fd, target_ifindex: target, attach_type, flags, ..LinkCreate::default() };
        // SAFETY: no addresses; LINK_CREATE returns a new descriptor.
        unsafe { owned(call(BPF_LINK_CREATE, &mut attr)) }
    }

    /// On a device of the calling thread's namespace: in the driver, or before
    /// the network layer (generic).
    pub(crate) fn xdp(device: u32, in_driver: bool) -> io::Result<OwnedFd> {
        let program = load(XDP, 0, 36, 2, 1)?;
        link(program.as_fd(), device, XDP.1, if in_driver { 4 } else { 2 })
    }

    /// For what the processes of a control group send.
    pub(crate) fn cgroup_egress(group: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        let program = load(CGROUP_EGRESS, 76, 22, 1, 0)?;
        link(program.as_fd(), group.as_raw_fd() as u32, CGROUP_EGRESS.1, 0)
    }
}
