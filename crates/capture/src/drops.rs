//! The watch on dropped packets: `bpf/drops.bpf.c` at the kernel's tracepoint
//! skb:kfree_skb. It gives observe mode its REJECT.
//!
//! One program sees all network namespaces; it is loaded when the first
//! interface needs it. Where it cannot be (a kernel without type information or
//! without the tracepoint) observe mode still counts, and everything is ACCEPT.

use crate::error::CaptureError;
use crate::object::{Aligned, Maps, unreadable, unusable};
use crate::pins::Pins;
use crate::sys::bpf::{self, Kind};
use aya_obj::Object;
use aya_obj::btf::{Btf, BtfFeatures, BtfKind};
use std::collections::HashSet;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::OnceLock;

static OBJECT: &Aligned<[u8]> = &Aligned(*include_bytes!("../bpf/drops.bpf.o"));

const PROGRAM: &str = "weir_drop";
/// The type of the tracepoint's arguments.
const TRACEPOINT: &str = "btf_trace_kfree_skb";

/// The running program. It goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    program: OwnedFd,
    link: OwnedFd,
}

const LINK_PIN: &str = "drops";

/// Says which program it is: another version's is not taken over.
fn program_pin() -> String {
    format!("drops-program-{:08x}", crc32fast::hash(&OBJECT.0))
}

/// The object with the offsets of the running kernel, and the tracepoint's type.
struct Fitted {
    object: Object,
    btf: Vec<u8>,
    tracepoint: u32,
}

/// Reading the kernel's type information takes a good part of a second: once.
fn fitted() -> Result<&'static Fitted, CaptureError> {
    static FITTED: OnceLock<Result<Fitted, String>> = OnceLock::new();
    let fitted = FITTED.get_or_init(|| fit().map_err(|error| error.to_string()));
    fitted.as_ref().map_err(|what| CaptureError::NoDrops { what: what.clone() })
}

fn fit() -> Result<Fitted, CaptureError> {
    let mut object = Object::parse(&OBJECT.0).map_err(unreadable)?;
    let features = BtfFeatures::new(true, true, true, true, true, true, true, true);
    let btf = object
        .fixup_and_sanitize_btf(&features)
        .map_err(unreadable)?
        .ok_or_else(|| unusable("it has no type information"))?
        .to_bytes();
    let kernel = Btf::from_sys_fs().map_err(|error| CaptureError::NoDrops {
        what: format!("no type information of the kernel (CONFIG_DEBUG_INFO_BTF): {error}"),
    })?;
    let tracepoint = kernel
        .id_by_type_name_kind(TRACEPOINT, BtfKind::Typedef)
        .map_err(|error| CaptureError::NoDrops { what: format!("no tracepoint skb:kfree_skb: {error}") })?;
    object.relocate_btf(&kernel).map_err(unreadable)?;
    Ok(Fitted { object, btf, tracepoint })
}

impl Watch {
    /// Loads the program over the maps of the interfaces; from the return on
    /// drops are counted. One of another version, left at work, ends: a drop that
    /// both saw would count twice.
    pub(crate) fn start(maps: &Maps, pins: Option<&Pins>) -> Result<Self, CaptureError> {
        let Fitted { object, btf, tracepoint } = fitted()?;
        let mut object = object.clone();
        let btf = bpf::load_btf(btf).map_err(CaptureError::doing("load BPF type information"))?;
        let definitions = std::mem::take(&mut object.maps);
        let per_cpu = maps.make_dropped(&definitions)?;
        let mut relocations = Vec::new();
        for (name, definition) in &definitions {
            let map = if name == "weir_dropped" { Some(&per_cpu) } else { maps.by_name(name) };
            if let Some(map) = map {
                relocations.push((name.as_str(), map.as_fd().as_raw_fd(), definition));
            }
        }
        let text: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
        object.relocate_maps(relocations.into_iter(), &text).map_err(unreadable)?;
        object.relocate_calls(&text).map_err(unreadable)?;
        let program =
            crate::object::load_program(&object, PROGRAM, Kind::Tracepoint(*tracepoint), btf.as_fd())?;
        if let Some(pins) = pins {
            pins.remove(LINK_PIN);
        }
        let link = bpf::open_tracepoint(program.as_fd())
            .map_err(CaptureError::doing("attach to the tracepoint skb:kfree_skb"))?;
        Ok(Self { program, link })
    }

    /// The watch that another process left at work.
    pub(crate) fn adopt(pins: &Pins) -> Result<Option<Self>, CaptureError> {
        Ok(match (pins.get(LINK_PIN)?, pins.get(&program_pin())?) {
            (Some(link), Some(program)) => Some(Self { program, link }),
            _ => None,
        })
    }

    /// Gives it names, so that it outlives the process.
    pub(crate) fn pin(&self, pins: &Pins) -> Result<(), CaptureError> {
        pins.put(&program_pin(), &self.program)?;
        pins.put(LINK_PIN, &self.link)
    }

    /// Drops that the program did not see since it was loaded, because they came
    /// while it was at work on the same processor.
    pub(crate) fn missed(&self) -> u64 {
        bpf::missed_runs(self.program.as_fd()).unwrap_or(0)
    }
}
