//! The compiled BPF object: made once into maps and programs that all interfaces
//! share. Each interface has a pair of entries to them (`entry.rs`).
//!
//! aya-obj reads the ELF file and relocates; maps and programs are made by
//! bpf(2) here, because the maps may be those that another process left.

use crate::abi::{self, bytes_of, bytes_of_mut};
use crate::entry;
use crate::error::CaptureError;
use crate::pins::Pins;
use crate::sys::bpf::{self, Kind};
use crate::sys::map::{ANY, INNER_MAP, Map, MapSpec, RDONLY_PROG, TYPE_ARRAY, TYPE_HASH, TYPE_PROGRAMS};
use crate::{InterfaceNumber, Sizes};
use aya_obj::btf::BtfFeatures;
use aya_obj::{EbpfSectionKind, Object};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use weir_types::orders::Side;

/// The ELF reader wants words where words belong.
#[repr(C, align(8))]
pub(crate) struct Aligned<T: ?Sized>(pub T);

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
    /// Which number is which interface; no program reads it.
    pub names: Map,
    /// The windows, for a process that takes over; no program reads it.
    pub state: Map,
    /// A map of maps that no program reads: changing it waits for a grace period.
    pub grace: Map,
    pub fragments: Map,
    /// What is taken of the common parts of the tables.
    pub pools: Map,
    /// The number of each interface's connections.
    pub tracked: Map,
    /// Which flows were skipped.
    pub sketches: Map,
    /// The programs that the entries go on to.
    pub programs: Map,
    scratch: Map,
}

/// The entries of one interface, named by the device's direction.
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
    /// Whether [`Maps::programs`] has this process's programs.
    ready: Mutex<bool>,
    /// The programs with the test's clock.
    bench: Mutex<Option<Map>>,
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
        let (object, btf) = Self::read()?;
        let maps = Maps::create(&object, sizes)?;
        Ok(Self { object, btf, maps, ready: Mutex::new(false), bench: Mutex::new(None) })
    }

    /// The same with the maps that another process left; `None` if there are none.
    pub(crate) fn adopt(pins: &Pins) -> Result<Option<(Self, Sizes)>, CaptureError> {
        let (object, btf) = Self::read()?;
        let found = Maps::adopt(&object, pins)?;
        Ok(found.map(|(maps, sizes)| {
            (Self { object, btf, maps, ready: Mutex::new(false), bench: Mutex::new(None) }, sizes)
        }))
    }

    fn read() -> Result<(Object, OwnedFd), CaptureError> {
        let mut object = Object::parse(&OBJECT.0).map_err(unreadable)?;
        // tcx (6.6) is younger than every kind of BTF.
        let features = BtfFeatures::new(true, true, true, true, true, true, true, true);
        let btf = object
            .fixup_and_sanitize_btf(&features)
            .map_err(unreadable)?
            .ok_or_else(|| unusable("it has no type information"))?
            .to_bytes();
        let btf = bpf::load_btf(&btf).map_err(CaptureError::doing("load BPF type information"))?;
        Ok((object, btf))
    }

    /// Loads the programs that all interfaces share into an array of programs.
    fn fill(&self, programs: &Map, test: bool) -> Result<(), CaptureError> {
        let mut object = self.object.clone();
        let test = u32::from(test).to_ne_bytes();
        object.patch_map_data(HashMap::from([("WEIR_TEST", (&test[..], true))])).map_err(unreadable)?;
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
        for (hook, name) in [(entry::INGRESS, INGRESS_PROGRAM), (entry::EGRESS, EGRESS_PROGRAM)] {
            let program = load_program(&object, name, Kind::Classifier, self.btf.as_fd())?;
            programs
                .update(&hook.to_ne_bytes(), &program.as_raw_fd().to_ne_bytes(), ANY)
                .map_err(CaptureError::doing(format!("put program {name} into its array")))?;
        }
        Ok(())
    }

    /// Loads the pair of entries of one interface. The first call loads the
    /// programs behind them, too, also where another process left its own.
    pub(crate) fn load_pair(&self, constants: Constants) -> Result<Pair, CaptureError> {
        let mut bench = self.bench.lock().unwrap_or_else(PoisonError::into_inner);
        let programs = if constants.test {
            if bench.is_none() {
                let programs = Map::create(&programs_spec(), None)
                    .map_err(CaptureError::doing("make an array of programs"))?;
                self.fill(&programs, true)?;
                *bench = Some(programs);
            }
            bench.as_ref().unwrap_or(&self.maps.programs)
        } else {
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            if !*ready {
                self.fill(&self.maps.programs, false)?;
                *ready = true;
            }
            &self.maps.programs
        };
        let Constants { interface, side, .. } = constants;
        let load = |hook| entry::load(interface, side, programs.as_fd(), hook, self.btf.as_fd());
        Ok(Pair { ingress: load(entry::INGRESS)?, egress: load(entry::EGRESS)? })
    }
}

#[cfg(any(test, feature = "testrun"))]
impl Loaded {
    /// A program that does nothing, to compare with.
    pub(crate) fn load_empty(&self) -> Result<OwnedFd, CaptureError> {
        bpf::load_empty(self.btf.as_fd()).map_err(CaptureError::doing("load an empty program"))
    }

    /// An interface's ingress entry that gives a new flow at each run.
    pub(crate) fn load_renewing(&self, number: InterfaceNumber) -> Result<OwnedFd, CaptureError> {
        let programs = self.maps.programs.as_fd();
        entry::load_renewing(number, programs, self.btf.as_fd())
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

/// A map, made or taken over, and its number of entries.
fn obtain_one(
    spec: MapSpec<'static>,
    source: &Source<'_>,
    entries: &dyn Fn(Sizes) -> u32,
    example: Option<&Map>,
) -> Result<(Map, u32), CaptureError> {
    let name = spec.name;
    match source {
        Source::New(sizes) => {
            let max_entries = entries(*sizes);
            let map = Map::create(&MapSpec { max_entries, ..spec }, example).map_err(CaptureError::doing(
                format!("make map {name} with {max_entries} entries (is there memory for it?)"),
            ))?;
            Ok((map, max_entries))
        }
        Source::Pinned(pins) => {
            let fd = pins.get(name)?.ok_or_else(|| unusable(format!("map {name} is not pinned")))?;
            Map::adopt(fd, spec.key_size, spec.value_size)
                .map_err(CaptureError::doing(format!("take over map {name}")))
        }
    }
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

/// An array of programs, one per hook.
fn programs_spec() -> MapSpec<'static> {
    MapSpec {
        name: "weir_programs",
        map_type: TYPE_PROGRAMS,
        key_size: 4,
        value_size: 4,
        max_entries: entry::HOOKS,
        flags: 0,
    }
}

/// Where a map comes from: made, or pinned by a process before.
enum Source<'a> {
    New(Sizes),
    Pinned(&'a Pins),
}

impl Maps {
    fn create(object: &Object, sizes: Sizes) -> Result<Self, CaptureError> {
        let (maps, _) = Self::obtain(object, &Source::New(sizes))?;
        let state = abi::State {
            layout: abi::layout(),
            opened_ns: crate::sys::clock::monotonic_coarse_ns(),
            ..abi::State::default()
        };
        maps.write_state(&state)?;
        Ok(maps)
    }

    /// The maps that another process left, and their sizes; `None` if there are
    /// none, or none that are whole.
    fn adopt(object: &Object, pins: &Pins) -> Result<Option<(Self, Sizes)>, CaptureError> {
        if pins.get("weir_state")?.is_none() {
            return Ok(None);
        }
        let (maps, sizes) = Self::obtain(object, &Source::Pinned(pins))?;
        if maps.read_state()?.layout != abi::layout() {
            return Err(unusable("the maps that another version left have another layout"));
        }
        Ok(Some((maps, sizes)))
    }

    fn obtain(object: &Object, source: &Source<'_>) -> Result<(Self, Sizes), CaptureError> {
        let make = |name: &'static str, key: usize, value: usize, entries: &dyn Fn(Sizes) -> u32| {
            let definition =
                object.maps.get(name).ok_or_else(|| unusable(format!("it has no map {name}")))?;
            if (definition.key_size() as usize, definition.value_size() as usize) != (key, value) {
                return Err(unusable(format!("map {name} has other sizes than this program")));
            }
            let example = if definition.inner().is_some() { Some(rules_map(1)?) } else { None };
            let spec = MapSpec {
                name,
                map_type: definition.map_type(),
                key_size: key as u32,
                value_size: value as u32,
                max_entries: 1,
                flags: definition.map_flags(),
            };
            obtain_one(spec, source, entries, example.as_ref())
        };
        let own = |name: &'static str, map_type, key: u32, value: usize, entries: &dyn Fn(Sizes) -> u32| {
            let value_size = value as u32;
            let spec = MapSpec { name, map_type, key_size: key, value_size, max_entries: 1, flags: 0 };
            obtain_one(spec, source, entries, None)
        };
        let flow = (size_of::<abi::FlowKey>(), size_of::<abi::Flow>());
        let scratch = object.maps.get("weir_scratch").map_or(0, |map| map.value_size() as usize);
        let one = |_: Sizes| 1;
        let interfaces = |sizes: Sizes| sizes.interfaces;
        let (first, flows) = make("weir_flows_0", flow.0, flow.1, &|sizes| sizes.flows)?;
        let (second, _) = make("weir_flows_1", flow.0, flow.1, &|sizes| sizes.flows)?;
        let connection = (size_of::<abi::ConnectionKey>(), size_of::<abi::Connection>());
        let (connections, connection_count) =
            make("weir_conns", connection.0, connection.1, &|sizes| sizes.connections)?;
        let fragment = (size_of::<abi::FragmentKey>(), size_of::<abi::Fragment>());
        let (fragments, fragment_count) =
            make("weir_frags", fragment.0, fragment.1, &|sizes| sizes.fragments)?;
        let (rules, interface_count) = make("weir_rules", 4, 4, &interfaces)?;
        let sizes = Sizes {
            flows,
            connections: connection_count,
            fragments: fragment_count,
            interfaces: interface_count,
        };
        let grace = Source::New(sizes);
        let definition = object.maps.get("weir_rules").ok_or_else(|| unusable("it has no map weir_rules"))?;
        let grace_spec = MapSpec {
            name: "weir_grace",
            map_type: definition.map_type(),
            key_size: 4,
            value_size: 4,
            max_entries: 1,
            flags: definition.map_flags(),
        };
        let device = (size_of::<abi::DeviceKey>(), size_of::<abi::Device>());
        let maps = Self {
            flows: [first, second],
            connections,
            fragments,
            interfaces: make("weir_ifaces", 4, size_of::<abi::Interface>(), &interfaces)?.0,
            losses: make("weir_losses", 4, size_of::<abi::Losses>(), &|sizes| sizes.interfaces * 2)?.0,
            control: make("weir_control", 4, size_of::<abi::Control>(), &one)?.0,
            devices: make("weir_devices", device.0, device.1, &interfaces)?.0,
            rules,
            pools: make("weir_pools", 4, 8, &|_| abi::POOLS)?.0,
            tracked: make("weir_tracked", 4, 8, &interfaces)?.0,
            sketches: make("weir_sketches", 4, abi::SKETCH, &|sizes| sizes.interfaces * 2)?.0,
            programs: obtain_one(programs_spec(), source, &|_| entry::HOOKS, None)?.0,
            // Nobody needs another process's.
            grace: obtain_one(grace_spec, &grace, &one, Some(&rules_map(1)?))?.0,
            scratch: make("weir_scratch", 4, scratch, &one)?.0,
            names: own("weir_names", TYPE_HASH, 4, size_of::<abi::Name>(), &interfaces)?.0,
            state: own("weir_state", TYPE_ARRAY, 4, size_of::<abi::State>(), &one)?.0,
        };
        Ok((maps, sizes))
    }

    /// Gives every map its name, the state last.
    pub(crate) fn pin(&self, pins: &Pins) -> Result<(), CaptureError> {
        for (name, map) in [
            ("weir_flows_0", &self.flows[0]),
            ("weir_flows_1", &self.flows[1]),
            ("weir_conns", &self.connections),
            ("weir_frags", &self.fragments),
            ("weir_ifaces", &self.interfaces),
            ("weir_losses", &self.losses),
            ("weir_control", &self.control),
            ("weir_devices", &self.devices),
            ("weir_rules", &self.rules),
            ("weir_scratch", &self.scratch),
            ("weir_pools", &self.pools),
            ("weir_tracked", &self.tracked),
            ("weir_sketches", &self.sketches),
            ("weir_programs", &self.programs),
            ("weir_names", &self.names),
            ("weir_state", &self.state),
        ] {
            pins.put(name, map)?;
        }
        Ok(())
    }

    pub(crate) fn read_state(&self) -> Result<abi::State, CaptureError> {
        let mut state = abi::State::default();
        self.state
            .lookup(&0u32.to_ne_bytes(), bytes_of_mut(&mut state))
            .map_err(CaptureError::doing("read the state of the windows"))?;
        Ok(state)
    }

    pub(crate) fn write_state(&self, state: &abi::State) -> Result<(), CaptureError> {
        self.state
            .update(&0u32.to_ne_bytes(), bytes_of(state), ANY)
            .map_err(CaptureError::doing("write the state of the windows"))
    }

    /// The interfaces that processes attached and did not detach.
    pub(crate) fn names(&self) -> Result<BTreeMap<InterfaceNumber, abi::Name>, CaptureError> {
        let mut names = BTreeMap::new();
        self.names
            .for_each(|key, value| {
                names.insert(InterfaceNumber(abi::read(key)), abi::read(value));
            })
            .map_err(CaptureError::doing("read the names of interfaces"))?;
        Ok(names)
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
            "weir_pools" => &self.pools,
            "weir_tracked" => &self.tracked,
            "weir_sketches" => &self.sketches,
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
