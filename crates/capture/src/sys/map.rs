//! BPF maps, by raw bpf(2): aya has no batch calls, and shares maps between
//! loads only by pinning them.

use super::bpf::{call, name_of};
use super::{check, owned};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
const BPF_MAP_DELETE_ELEM: libc::c_long = 3;
const BPF_MAP_LOOKUP_AND_DELETE_ELEM: libc::c_long = 21;
const BPF_MAP_FREEZE: libc::c_long = 22;
const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;
const BPF_MAP_LOOKUP_AND_DELETE_BATCH: libc::c_long = 25;

pub(crate) const TYPE_HASH: u32 = 1;
pub(crate) const TYPE_ARRAY: u32 = 2;
/// Programs to go on to (BPF_MAP_TYPE_PROG_ARRAY).
pub(crate) const TYPE_PROGRAMS: u32 = 3;
/// The program may only read the map.
pub(crate) const RDONLY_PROG: u32 = 1 << 7;
/// An array that may be an inner map whatever its number of entries.
pub(crate) const INNER_MAP: u32 = 1 << 12;
pub(crate) const ANY: u64 = 0;
pub(crate) const NOEXIST: u64 = 1;

/// What a map is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapSpec<'a> {
    pub name: &'a str,
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
}

/// A map and the sizes the kernel goes by when it reads and writes our memory.
#[derive(Debug)]
pub(crate) struct Map {
    fd: OwnedFd,
    key_size: usize,
    value_size: usize,
}

#[repr(C)]
#[derive(Default)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
    inner_map_fd: u32,
    numa_node: u32,
    map_name: [u8; 16],
}

#[repr(C)]
#[derive(Default)]
struct Element {
    map_fd: u32,
    zero: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
#[derive(Default)]
struct Batch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

impl Map {
    /// Makes a map. A map of maps needs an example of what it will hold.
    pub(crate) fn create(spec: &MapSpec<'_>, inner: Option<&Self>) -> io::Result<Self> {
        let mut attr = MapCreate {
            map_type: spec.map_type,
            key_size: spec.key_size,
            value_size: spec.value_size,
            max_entries: spec.max_entries,
            map_flags: spec.flags,
            inner_map_fd: inner.map_or(0, |map| map.fd.as_raw_fd() as u32),
            map_name: name_of(spec.name),
            ..MapCreate::default()
        };
        // SAFETY: no addresses; MAP_CREATE returns a new descriptor.
        let fd = unsafe { owned(call(BPF_MAP_CREATE, &mut attr)) }?;
        Ok(Self { fd, key_size: spec.key_size as usize, value_size: spec.value_size as usize })
    }

    /// A map that is there already, if it has these sizes. Answers its number of
    /// entries too.
    pub(crate) fn adopt(fd: OwnedFd, key_size: u32, value_size: u32) -> io::Result<(Self, u32)> {
        let info = super::bpf::map_info(fd.as_fd())?;
        if (info.key_size, info.value_size) != (key_size, value_size) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let map = Self { fd, key_size: key_size as usize, value_size: value_size as usize };
        Ok((map, info.max_entries))
    }

    fn element(&self, command: libc::c_long, key: &[u8], value: u64, flags: u64) -> io::Result<()> {
        if key.len() != self.key_size {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let mut attr = Element {
            map_fd: self.fd.as_raw_fd() as u32,
            key: key.as_ptr() as u64,
            value,
            flags,
            ..Element::default()
        };
        // SAFETY: `key` is key_size bytes long; the callers below pass a `value`
        // that is null or value_size bytes long, writable where it is read into.
        check(unsafe { call(command, &mut attr) }).map(drop)
    }

    /// Reads one value; `false`: the key is not there. Not for per-CPU maps.
    pub(crate) fn lookup(&self, key: &[u8], value: &mut [u8]) -> io::Result<bool> {
        self.read_one(BPF_MAP_LOOKUP_ELEM, key, value)
    }

    /// Reads and removes one value in one step; `false`: the key was not there.
    pub(crate) fn take(&self, key: &[u8], value: &mut [u8]) -> io::Result<bool> {
        self.read_one(BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, value)
    }

    fn read_one(&self, command: libc::c_long, key: &[u8], value: &mut [u8]) -> io::Result<bool> {
        if value.len() != self.value_size {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        match self.element(command, key, value.as_mut_ptr() as u64, 0) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes one value: [`ANY`] or [`NOEXIST`].
    pub(crate) fn update(&self, key: &[u8], value: &[u8], flags: u64) -> io::Result<()> {
        if value.len() != self.value_size {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        self.element(BPF_MAP_UPDATE_ELEM, key, value.as_ptr() as u64, flags)
    }

    /// Puts an inner map in place. When it returns, no program still reads the
    /// one before: the kernel waits for that (`maybe_wait_bpf_programs`).
    pub(crate) fn update_inner(&self, key: u32, inner: &Self) -> io::Result<()> {
        self.update(&key.to_ne_bytes(), &inner.fd.as_raw_fd().to_ne_bytes(), ANY)
    }

    /// Removes a key; one that is not there is no error.
    pub(crate) fn delete(&self, key: &[u8]) -> io::Result<()> {
        match self.element(BPF_MAP_DELETE_ELEM, key, 0, 0) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            answer => answer,
        }
    }

    /// From here on user space cannot write: the verifier may treat the values
    /// as constants.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        let mut attr = self.fd.as_raw_fd() as u32;
        // SAFETY: MAP_FREEZE reads one descriptor.
        check(unsafe { call(BPF_MAP_FREEZE, &mut attr) }).map(drop)
    }

    /// Calls `each` with every key and value of a hash map or an array. Entries that come or
    /// go meanwhile may or may not be seen.
    pub(crate) fn for_each(&self, each: impl FnMut(&[u8], &[u8])) -> io::Result<()> {
        self.batch(BPF_MAP_LOOKUP_BATCH, each)
    }

    /// Empties a hash map to which nobody writes.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.batch(BPF_MAP_LOOKUP_AND_DELETE_BATCH, |_, _| ())
    }

    fn batch(&self, command: libc::c_long, mut each: impl FnMut(&[u8], &[u8])) -> io::Result<()> {
        let mut chunk = 4096usize;
        // Zeroed by the allocator: a page that no entry comes to is never touched.
        let room = |chunk: usize| (vec![0u8; chunk * self.key_size], vec![0u8; chunk * self.value_size]);
        let (mut keys, mut values) = room(chunk);
        // Where to go on; for a hash map the kernel writes four bytes.
        let (mut from, mut next) = (0u64, 0u64);
        let mut first = true;
        loop {
            let mut attr = Batch {
                in_batch: if first { 0 } else { std::ptr::from_mut(&mut from) as u64 },
                out_batch: std::ptr::from_mut(&mut next) as u64,
                keys: keys.as_mut_ptr() as u64,
                values: values.as_mut_ptr() as u64,
                count: chunk as u32,
                map_fd: self.fd.as_raw_fd() as u32,
                ..Batch::default()
            };
            // SAFETY: keys and values have room for `count` entries of the
            // map's sizes, from and next for the map's token (four bytes for a
            // hash, at most eight); all live through the call.
            let answer = check(unsafe { call(command, &mut attr) });
            let error = answer.as_ref().err().and_then(io::Error::raw_os_error);
            if error == Some(libc::ENOSPC) {
                // One hash bucket holds more than a whole chunk: once more, larger.
                chunk *= 2;
                (keys, values) = room(chunk);
                continue;
            }
            // ENOENT ends the walk, and may still bring entries.
            if error.is_some_and(|code| code != libc::ENOENT) {
                return answer.map(drop);
            }
            let count = (attr.count as usize).min(chunk);
            let pairs = keys.chunks_exact(self.key_size).zip(values.chunks_exact(self.value_size));
            for (key, value) in pairs.take(count) {
                each(key, value);
            }
            if error.is_some() {
                return Ok(());
            }
            (from, first) = (next, false);
        }
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
