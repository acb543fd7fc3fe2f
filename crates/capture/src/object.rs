//! The compiled BPF object: made once into maps that all interfaces share, and
//! into one pair of programs per interface.
//!
//! The interface's number and side are constants of its programs (`.rodata`):
//! the kernel gives a program no other identity that holds across network
//! namespaces. aya-obj reads the ELF file and relocates; maps and programs are
//! made by bpf(2) here, because the maps must be the same for every pair.

use crate::abi::{self, bytes_of};
use crate::error::CaptureError;
use crate::sys::bpf::{self, Kind};
use crate::sys::map::{ANY, INNER_MAP, Map, MapSpec, RDONLY_PROG, TYPE_ARRAY};
use crate::{InterfaceNumber, Sizes};
use aya_obj::btf::BtfFeatures;
use aya_obj::{EbpfSectionKind, Object};
use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use weir_types::orders::Side;

/// The ELF reader wants words where words belong.
#[repr(C, align(8))]
struct Aligned<T: ?Sized>(T);

static OBJECT: &Aligned<[u8]> = &Aligned(*include_bytes!("../bpf/weir.bpf.o"));

const INGRESS_PROGRAM: &str = "weir_ingress";
const EGRESS_PROGRAM: &str = "weir_egress";

/// The maps of all interfaces. What each holds: `bpf/maps.h`.
#[derive(Debug)]
pub(crate) struct Maps {
    /// The flow table of epoch slot 0 and of slot 1.
    pub flows: [Map; 2],
    pub connections: Map,
    pub interfaces: Map,
    pub losses: Map,
    pub control: Map,
    /// Which interface is on which device, for the watch on drops.
    pub devices: Map,
    pub rules: Map,
    /// A map of maps that no program reads: changing it waits for a grace period.
    pub grace: Map,
    fragments: Map,
    scratch: Map,
}

/// The programs of one interface, named by the device's direction.
#[derive(Debug)]
pub(crate) struct Pair {
    pub ingress: OwnedFd,
    pub egress: OwnedFd,
}

/// What makes one pair differ from another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Constants {
    pub interface: InterfaceNumber,
    pub side: Side,
    /// The clock is the test's.
    pub test: bool,
}

/// The object, its type information in the kernel, and the shared maps.
#[derive(Debug)]
pub(crate) struct Loaded {
    object: Object,
    btf: OwnedFd,
    pub maps: Maps,
}

pub(crate) fn unusable(what: impl Into<String>) -> CaptureError {
    CaptureError::Object { what: what.into() }
}

/// The same, for an error of aya-obj with all its causes.
pub(crate) fn unreadable(error: impl std::error::Error) -> CaptureError {
    let (mut what, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        what = format!("{what}: {error}");
        cause = error.source();
    }
    unusable(what)
}

impl Loaded {
    /// Reads the object and makes the shared maps.
    pub(crate) fn new(sizes: Sizes) -> Result<Self, CaptureError> {
        let mut object = Object::parse(&OBJECT.0).map_err(unreadable)?;
        // tcx (6.6) is younger than every kind of BTF.
        let features = BtfFeatures::new(true, true, true, true, true, true, true, true);
        let btf = object
            .fixup_and_sanitize_btf(&features)
            .map_err(unreadable)?
            .ok_or_else(|| unusable("it has no type information"))?
            .to_bytes();
        let btf = bpf::load_btf(&btf).map_err(CaptureError::doing("load BPF type information"))?;
        let maps = Maps::create(&object, sizes)?;
        Ok(Self { object, btf, maps })
    }

    /// Loads the pair of programs of one interface.
    pub(crate) fn load_pair(&self, constants: Constants) -> Result<Pair, CaptureError> {
        let mut object = self.object.clone();
        let interface = constants.interface.0.to_ne_bytes();
        let swap = u32::from(constants.side == Side::Host).to_ne_bytes();
        let test = u32::from(constants.test).to_ne_bytes();
        let globals = HashMap::from([
            ("WEIR_INTERFACE", (&interface[..], true)),
            ("WEIR_SWAP", (&swap[..], true)),
            ("WEIR_TEST", (&test[..], true)),
        ]);
        object.patch_map_data(globals).map_err(unreadable)?;
        let definitions = std::mem::take(&mut object.maps);
        let (name, rodata) = definitions
            .iter()
            .find(|(_, map)| map.section_kind() == EbpfSectionKind::Rodata)
            .ok_or_else(|| unusable("it has no constants"))?;
        let constants_map = constants_map(rodata.data())?;
        let mut relocations = vec![(name.as_str(), constants_map.as_fd().as_raw_fd(), rodata)];
        for (name, definition) in &definitions {
            if let Some(map) = self.maps.by_name(name) {
                relocations.push((name, map.as_fd().as_raw_fd(), definition));
            }
        }
        let text: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
        object.relocate_maps(relocations.into_iter(), &text).map_err(unreadable)?;
        object.relocate_calls(&text).map_err(unreadable)?;
        Ok(Pair {
            ingress: load_program(&object, INGRESS_PROGRAM, Kind::Classifier, self.btf.as_fd())?,
            egress: load_program(&object, EGRESS_PROGRAM, Kind::Classifier, self.btf.as_fd())?,
        })
    }
}

/// Hands a relocated program to the verifier.
pub(crate) fn load_program(
    object: &Object,
    name: &'static str,
    kind: Kind,
    btf: BorrowedFd<'_>,
) -> Result<OwnedFd, CaptureError> {
    let function = object
        .programs
        .get(name)
        .and_then(|program| object.functions.get(&program.function_key()))
        .ok_or_else(|| unusable(format!("it has no program {name}")))?;
    bpf::load_program(&bpf::Program {
        name,
        kind,
        instructions: &function.instructions,
        license: &object.license,
        btf,
        func_info: &function.func_info.func_info_bytes(),
        func_info_record: function.func_info_rec_size as u32,
        line_info: &function.line_info.line_info_bytes(),
        line_info_record: function.line_info_rec_size as u32,
    })
    .map_err(|(source, log)| CaptureError::Refused { program: name, log, source })
}

/// A frozen map: the verifier takes its values as constants and cuts away what
/// they rule out.
fn constants_map(data: &[u8]) -> Result<Map, CaptureError> {
    let spec = MapSpec {
        name: ".rodata",
        map_type: TYPE_ARRAY,
        key_size: 4,
        value_size: data.len() as u32,
        max_entries: 1,
        flags: RDONLY_PROG,
    };
    Map::create(&spec, None)
        .and_then(|map| {
            map.update(&0u32.to_ne_bytes(), data, ANY)?;
            map.freeze()?;
            Ok(map)
        })
        .map_err(CaptureError::doing("make the constants of an interface's programs"))
}

/// An array of rule chunks, to be filled and put behind an interface's number.
pub(crate) fn rules_map(chunks: u32) -> Result<Map, CaptureError> {
    let spec = MapSpec {
        name: "weir_rules_in",
        map_type: TYPE_ARRAY,
        key_size: 4,
        value_size: abi::CHUNK_BYTES as u32,
        max_entries: chunks,
        flags: INNER_MAP,
    };
    Map::create(&spec, None).map_err(CaptureError::doing("make a map of rules"))
}

impl Maps {
    fn create(object: &Object, sizes: Sizes) -> Result<Self, CaptureError> {
        let make = |name: &str, key: usize, value: usize, entries: u32| {
            let definition =
                object.maps.get(name).ok_or_else(|| unusable(format!("it has no map {name}")))?;
            if (definition.key_size() as usize, definition.value_size() as usize) != (key, value) {
                return Err(unusable(format!("map {name} has other sizes than this program")));
            }
            let spec = MapSpec {
                name,
                map_type: definition.map_type(),
                key_size: key as u32,
                value_size: value as u32,
                max_entries: entries,
                flags: definition.map_flags(),
            };
            let example = if definition.inner().is_some() { Some(rules_map(1)?) } else { None };
            Map::create(&spec, example.as_ref()).map_err(CaptureError::doing(format!(
                "make map {name} with {entries} entries (is there memory for it?)"
            )))
        };
        let flows = |name| make(name, size_of::<abi::FlowKey>(), size_of::<abi::Flow>(), sizes.flows);
        let scratch = object.maps.get("weir_scratch").map_or(0, |map| map.value_size() as usize);
        Ok(Self {
            flows: [flows("weir_flows_0")?, flows("weir_flows_1")?],
            connections: make(
                "weir_conns",
                size_of::<abi::ConnectionKey>(),
                size_of::<abi::Connection>(),
                sizes.connections,
            )?,
            fragments: make(
                "weir_frags",
                size_of::<abi::FragmentKey>(),
                size_of::<abi::Fragment>(),
                sizes.fragments,
            )?,
            interfaces: make("weir_ifaces", 4, size_of::<abi::Interface>(), sizes.interfaces)?,
            losses: make("weir_losses", 4, size_of::<abi::Losses>(), sizes.interfaces * 2)?,
            control: make("weir_control", 4, size_of::<abi::Control>(), 1)?,
            devices: make(
                "weir_devices",
                size_of::<abi::DeviceKey>(),
                size_of::<abi::Device>(),
                sizes.interfaces,
            )?,
            rules: make("weir_rules", 4, 4, sizes.interfaces)?,
            grace: make("weir_rules", 4, 4, 1)?,
            scratch: make("weir_scratch", 4, scratch, 1)?,
        })
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Map> {
        Some(match name {
            "weir_flows_0" => &self.flows[0],
            "weir_flows_1" => &self.flows[1],
            "weir_conns" => &self.connections,
            "weir_frags" => &self.fragments,
            "weir_ifaces" => &self.interfaces,
            "weir_losses" => &self.losses,
            "weir_control" => &self.control,
            "weir_devices" => &self.devices,
            "weir_rules" => &self.rules,
            "weir_scratch" => &self.scratch,
            _ => return None,
        })
    }

    /// The scratch map of the watch on drops: no other program has it.
    pub(crate) fn make_dropped(
        &self,
        definitions: &HashMap<String, aya_obj::Map>,
    ) -> Result<Map, CaptureError> {
        let name = "weir_dropped";
        let definition = definitions.get(name).ok_or_else(|| unusable(format!("it has no map {name}")))?;
        let spec = MapSpec {
            name,
            map_type: definition.map_type(),
            key_size: definition.key_size(),
            value_size: definition.value_size(),
            max_entries: 1,
            flags: definition.map_flags(),
        };
        Map::create(&spec, None).map_err(CaptureError::doing(format!("make map {name}")))
    }

    /// Writes what the programs read first: the mode and the rules' generation.
    pub(crate) fn set_interface(
        &self,
        number: InterfaceNumber,
        config: abi::Interface,
    ) -> Result<(), CaptureError> {
        self.interfaces
            .update(&number.0.to_ne_bytes(), bytes_of(&config), ANY)
            .map_err(CaptureError::doing(format!("configure interface {number}")))
    }
}
