//! The handle: interfaces come and go, rules and modes change.

use crate::abi::{bytes_of, bytes_of_mut};
use crate::attach::{self, Links};
use crate::drain::{ClosedWindow, WindowId, Windows};
use crate::drops::Watch;
use crate::error::CaptureError;
use crate::object::{Constants, Loaded, Pair};
use crate::sweep::{self, Swept};
use crate::sys::map::ANY;
use crate::{abi, probe, rules};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use weir_policy::CompiledRules;
use weir_types::orders::{Attachment, Mode, Side};

/// The number by which the kernel side knows a network interface. The caller
/// chooses it, below [`Sizes::interfaces`].
///
/// A number that was detached may be used again once the window in which it was
/// detached is cleared; earlier, samples of both would be mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceNumber(pub u32);

impl fmt::Display for InterfaceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How much the kernel's tables hold, for all interfaces together. Memory is
/// taken at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Flows of one window; there are two such tables, about 170 bytes a flow
    /// in each.
    pub flows: u32,
    /// Tracked connections, about 170 bytes each.
    pub connections: u32,
    /// Interface numbers.
    pub interfaces: u32,
    /// Fragmented datagrams whose first fragment is remembered; the oldest are
    /// forgotten.
    pub fragments: u32,
}

impl Default for Sizes {
    /// About 70 MB of kernel memory.
    fn default() -> Self {
        Self { flows: 131_072, connections: 131_072, interfaces: 1024, fragments: 4096 }
    }
}

impl Sizes {
    fn check(self) -> Result<Self, CaptureError> {
        const LIMIT: u32 = 1 << 26;
        for (what, value) in [
            ("flows", self.flows),
            ("connections", self.connections),
            ("interfaces", self.interfaces),
            ("fragments", self.fragments),
        ] {
            if value == 0 || value > LIMIT {
                return Err(CaptureError::BadSize { what, value, limit: LIMIT });
            }
        }
        Ok(self)
    }
}

/// Capture on this machine. One value serves any number of threads; calls block.
///
/// Dropping it detaches every interface.
#[derive(Debug)]
pub struct Capture {
    loaded: Loaded,
    sizes: Sizes,
    interfaces: Mutex<BTreeMap<InterfaceNumber, Attached>>,
    windows: Mutex<Windows>,
    watch: Mutex<DropWatch>,
}

/// The watch on what the host's firewall drops.
#[derive(Debug, Default)]
enum DropWatch {
    /// No interface in observe mode yet.
    #[default]
    Unneeded,
    On(Watch),
    /// Why it cannot be.
    Blind(String),
}

#[derive(Debug)]
struct Attached {
    /// `None` in test runs: programs without a device.
    links: Option<Links>,
    config: abi::Interface,
    /// The device, as the watch on drops knows it.
    device: Option<abi::DeviceKey>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No invariant spans two statements of a panicking thread: the data is good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn mode_number(mode: Mode) -> u32 {
    match mode {
        Mode::Observe => abi::OBSERVE,
        Mode::Evaluate => abi::EVALUATE,
        Mode::Enforce => abi::ENFORCE,
    }
}

impl Capture {
    /// Says whether capture can work here: capabilities, bpf(2), tcx.
    ///
    /// # Errors
    /// [`CaptureError::MissingCapabilities`], [`CaptureError::NoBpf`] or
    /// [`CaptureError::NoTcx`]: which of these it is, and what to do.
    pub fn probe() -> Result<(), CaptureError> {
        probe::probe()
    }

    /// Makes the tables. Nothing is attached yet.
    ///
    /// # Errors
    /// What [`Capture::probe`] finds; a size out of range; no memory.
    pub fn start(sizes: Sizes) -> Result<Self, CaptureError> {
        let sizes = sizes.check()?;
        probe::probe()?;
        let loaded = Loaded::new(sizes)?;
        let windows = Mutex::new(Windows::new());
        Ok(Self { loaded, sizes, interfaces: Mutex::default(), windows, watch: Mutex::default() })
    }

    /// Attaches an interface: from the return on its packets are counted, and
    /// judged and dropped as its mode says.
    ///
    /// # Errors
    /// The namespace or device is not there or has no Ethernet frames; the
    /// number or the device is taken; the number is past [`Sizes::interfaces`].
    /// After an error nothing is attached.
    pub fn attach(
        &self,
        number: InterfaceNumber,
        attachment: &Attachment,
        rules: &CompiledRules,
    ) -> Result<(), CaptureError> {
        let mut interfaces = lock(&self.interfaces);
        self.check_free(&interfaces, number)?;
        let found = attach::find(attachment)?;
        let taken = interfaces
            .iter()
            .find(|(_, attached)| attached.links.as_ref().and_then(Links::device) == Some(found.device));
        if let Some((&number, _)) = taken {
            let (device, netns) = (attachment.device.clone(), attachment.netns.clone());
            return Err(CaptureError::DeviceTaken { device, netns, number });
        }
        let (pair, config) = self.prepare(number, attachment.side, attachment.mode, rules, false)?;
        let links = match attach::attach(&found, &attachment.device, &pair) {
            Ok(links) => links,
            Err(error) => {
                self.forget(number)?;
                return Err(error);
            }
        };
        let device = found.device.key();
        let swap = u32::from(attachment.side == Side::Host);
        let placed = self
            .loaded
            .maps
            .devices
            .update(bytes_of(&device), bytes_of(&abi::Device { interface: number.0, swap }), ANY)
            .map_err(CaptureError::doing(format!("note the device of interface {number}")));
        if let Err(error) = placed {
            drop(links);
            self.forget(number)?;
            return Err(error);
        }
        interfaces.insert(number, Attached { links: Some(links), config, device: Some(device) });
        lock(&self.windows).note(number);
        if attachment.mode == Mode::Observe {
            self.watch_drops();
        }
        tracing::info!(%number, interface = %attachment.interface, device = attachment.device, "attached");
        Ok(())
    }

    /// Detaches an interface and forgets its connections. Its samples of the
    /// running window are still to come. Works also when the device has vanished.
    ///
    /// # Errors
    /// It is not attached.
    pub fn detach(&self, number: InterfaceNumber) -> Result<(), CaptureError> {
        let mut interfaces = lock(&self.interfaces);
        let attached = interfaces.remove(&number).ok_or(CaptureError::NotAttached(number))?;
        if let Some(device) = &attached.device {
            self.forget_device(number, device)?;
        }
        // Dropping the links takes the programs off the device.
        drop(attached);
        self.forget(number)?;
        tracing::info!(%number, "detached");
        Ok(())
    }

    /// Puts new rules in force: when this returns, every further packet is
    /// judged by them. Tracked connections stay; a network ACL applies to them
    /// too.
    ///
    /// # Errors
    /// It is not attached; no memory.
    pub fn set_rules(&self, number: InterfaceNumber, rules: &CompiledRules) -> Result<(), CaptureError> {
        let mut interfaces = lock(&self.interfaces);
        let attached = interfaces.get_mut(&number).ok_or(CaptureError::NotAttached(number))?;
        self.swap_rules(number, rules)?;
        // The generation last: a verdict that is remembered under the new one
        // was then surely found in the new rules. 30 bits of it are remembered.
        attached.config.generation = (attached.config.generation + 1) & 0x3fff_ffff;
        self.loaded.maps.set_interface(number, attached.config)
    }

    /// Changes what happens to packets from the next one on.
    ///
    /// # Errors
    /// It is not attached.
    pub fn set_mode(&self, number: InterfaceNumber, mode: Mode) -> Result<(), CaptureError> {
        let mut interfaces = lock(&self.interfaces);
        let attached = interfaces.get_mut(&number).ok_or(CaptureError::NotAttached(number))?;
        attached.config.mode = mode_number(mode);
        self.loaded.maps.set_interface(number, attached.config)?;
        if mode == Mode::Observe && attached.links.is_some() {
            self.watch_drops();
        }
        Ok(())
    }

    /// Why interfaces in observe mode record everything as ACCEPT, if they must:
    /// this kernel does not show what its firewall drops. `None` also as long as
    /// no interface is in observe mode.
    pub fn blind(&self) -> Option<String> {
        match &*lock(&self.watch) {
            DropWatch::Blind(why) => Some(why.clone()),
            DropWatch::Unneeded | DropWatch::On(_) => None,
        }
    }

    /// An interface is in observe mode: its drops are seen from the return on.
    fn watch_drops(&self) {
        // Not in the middle of a window's end, which waits for what is watched.
        let _windows = lock(&self.windows);
        let mut watch = lock(&self.watch);
        if !matches!(*watch, DropWatch::Unneeded) {
            return;
        }
        *watch = match Watch::start(&self.loaded.maps) {
            Ok(started) => DropWatch::On(started),
            Err(error) => {
                let mut why = error.to_string();
                if let Some(source) = std::error::Error::source(&error) {
                    why = format!("{why}: {source}");
                }
                tracing::warn!(why, "observe mode cannot see the firewall's drops: all traffic is ACCEPT");
                DropWatch::Blind(why)
            }
        };
    }

    /// Unless another interface is on the device by now.
    fn forget_device(&self, number: InterfaceNumber, device: &abi::DeviceKey) -> Result<(), CaptureError> {
        let mut on_it = abi::Device::default();
        let devices = &self.loaded.maps.devices;
        devices
            .lookup(bytes_of(device), bytes_of_mut(&mut on_it))
            .and_then(|known| {
                if known && on_it.interface == number.0 { devices.delete(bytes_of(device)) } else { Ok(()) }
            })
            .map_err(CaptureError::doing(format!("forget the device of interface {number}")))
    }

    /// The interfaces that were attached and not detached, in ascending order.
    pub fn attached(&self) -> Vec<InterfaceNumber> {
        lock(&self.interfaces).keys().copied().collect()
    }

    /// Those of [`Capture::attached`] whose device has vanished since: to be
    /// detached, and attached again when the device is back.
    pub fn vanished(&self) -> Vec<InterfaceNumber> {
        let gone =
            |attached: &Attached| attached.links.as_ref().is_some_and(|links| links.device().is_none());
        lock(&self.interfaces).iter().filter(|(_, a)| gone(a)).map(|(&number, _)| number).collect()
    }

    /// Ends the running window, begins the next and reads what the ended one
    /// counted, removing nothing. Blocks for a grace period (milliseconds) and
    /// about 1 µs a flow.
    ///
    /// While a closed window has not been cleared, it is read once more and
    /// given again, and the running one goes on: so a caller that failed to save
    /// it simply tries again.
    pub fn close_window(&self) -> Result<ClosedWindow, CaptureError> {
        // Before the other lock: attaching takes them in this order.
        let attached = self.attached();
        let mut windows = lock(&self.windows);
        let watch = lock(&self.watch);
        let watch = if let DropWatch::On(watch) = &*watch { Some(watch) } else { None };
        windows.close(&self.loaded.maps, &attached, watch)
    }

    /// Removes what [`Capture::close_window`] gave, after it was saved.
    ///
    /// # Errors
    /// The window is not the closed one.
    pub fn clear_window(&self, window: WindowId) -> Result<(), CaptureError> {
        lock(&self.windows).clear(&self.loaded.maps, window)
    }

    /// Forgets connections that have been silent for longer than their state
    /// allows, to make room; verdicts do not depend on it. About 1 µs a
    /// connection; once in some ten seconds is enough.
    pub fn sweep(&self) -> Result<Swept, CaptureError> {
        sweep::sweep(&self.loaded.maps)
    }

    fn check_free(
        &self,
        interfaces: &BTreeMap<InterfaceNumber, Attached>,
        number: InterfaceNumber,
    ) -> Result<(), CaptureError> {
        if number.0 >= self.sizes.interfaces {
            return Err(CaptureError::TooManyInterfaces { number, limit: self.sizes.interfaces });
        }
        if interfaces.contains_key(&number) {
            return Err(CaptureError::AlreadyAttached(number));
        }
        Ok(())
    }

    /// Everything that must be in place before the first packet.
    fn prepare(
        &self,
        number: InterfaceNumber,
        side: Side,
        mode: Mode,
        rules: &CompiledRules,
        test: bool,
    ) -> Result<(Pair, abi::Interface), CaptureError> {
        let pair = self.loaded.load_pair(Constants { interface: number, side, test })?;
        self.swap_rules(number, rules)?;
        let config = abi::Interface { mode: mode_number(mode), generation: 1 };
        self.loaded.maps.set_interface(number, config)?;
        Ok((pair, config))
    }

    fn swap_rules(&self, number: InterfaceNumber, rules: &CompiledRules) -> Result<(), CaptureError> {
        let map = rules::build(rules)?;
        self.loaded
            .maps
            .rules
            .update_inner(number.0, &map)
            .map_err(CaptureError::doing(format!("put the rules of interface {number} in place")))
    }

    /// Clears what the kernel holds of an interface that has no programs any more.
    fn forget(&self, number: InterfaceNumber) -> Result<(), CaptureError> {
        let maps = &self.loaded.maps;
        maps.set_interface(number, abi::Interface::default())?;
        maps.rules
            .delete(&number.0.to_ne_bytes())
            .map_err(CaptureError::doing(format!("remove the rules of interface {number}")))?;
        sweep::forget_interface(maps, number)
    }
}

#[cfg(any(test, feature = "testrun"))]
impl Capture {
    /// Programs without a device and with a clock that the caller sets.
    pub(crate) fn attach_nowhere(
        &self,
        number: InterfaceNumber,
        side: Side,
        mode: Mode,
        rules: &CompiledRules,
    ) -> Result<Pair, CaptureError> {
        let mut interfaces = lock(&self.interfaces);
        self.check_free(&interfaces, number)?;
        let (pair, config) = self.prepare(number, side, mode, rules, true)?;
        interfaces.insert(number, Attached { links: None, config, device: None });
        lock(&self.windows).note(number);
        Ok(pair)
    }

    pub(crate) fn maps(&self) -> &crate::object::Maps {
        &self.loaded.maps
    }
}
