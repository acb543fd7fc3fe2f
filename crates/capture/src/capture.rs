//! The handle: interfaces come and go, rules and modes change.

use crate::abi::{bytes_of, bytes_of_mut};
use crate::attach::{self, Links};
use crate::drain::{ClosedWindow, WindowId, Windows};
use crate::drops::Watch;
use crate::error::CaptureError;
use crate::object::{Constants, Loaded, Pair};
use crate::pins::{Pins, link_names};
use crate::sizes::Sizes;
use crate::sweep::{self, Swept};
use crate::sys::map::ANY;
use crate::{abi, probe, rules};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// Numbers that another process left, until they are attached again.
    leftovers: Mutex<BTreeMap<InterfaceNumber, abi::Name>>,
    pinning: Pinning,
}

/// Whether what is attached outlives this process.
#[derive(Debug, Default)]
struct Pinning {
    pins: Option<Pins>,
    /// The maps have their names: they get them with the first interface.
    done: AtomicBool,
    /// A clean end leaves everything at work, too.
    keep: AtomicBool,
}

/// Six words of the caller's own, kept with the windows for a process that takes
/// over.
pub type Memo = [u64; 6];

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
    netns: Option<String>,
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
        Self::with(Loaded::new(sizes)?, sizes, Pinning::default())
    }

    /// As [`Capture::start`], but what is attached outlives this process if it is
    /// killed. Takes over what a process with the same id left: its tables, whose
    /// sizes stay, its windows, and, as [`Capture::attach`] is called for them,
    /// its interfaces.
    ///
    /// `id` names one user of this machine, and no other process has it now. It
    /// has letters, digits and `-` only.
    ///
    /// # Errors
    /// As [`Capture::start`]. Where nothing can be pinned it works as that does,
    /// and the log says so.
    pub fn start_pinned(sizes: Sizes, id: &str) -> Result<Self, CaptureError> {
        let sizes = sizes.check()?;
        probe::probe()?;
        let pins = match Pins::open(id) {
            Ok(pins) => pins,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "nothing can be pinned: if this process is killed, what runs is lost");
                return Self::with(Loaded::new(sizes)?, sizes, Pinning::default());
            }
        };
        match Loaded::adopt(&pins) {
            Ok(Some((loaded, found))) => {
                if found != sizes {
                    tracing::warn!(
                        ?found,
                        "tables that a killed process left keep their sizes until a clean end"
                    );
                }
                let pinning = Pinning { pins: Some(pins), done: true.into(), keep: false.into() };
                return Self::with(loaded, found, pinning);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "what a killed process left cannot be taken over: its running window is lost");
            }
        }
        pins.clear();
        let pins = Pins::open(id)?;
        let pinning = Pinning { pins: Some(pins), ..Pinning::default() };
        Self::with(Loaded::new(sizes)?, sizes, pinning)
    }

    fn with(loaded: Loaded, sizes: Sizes, pinning: Pinning) -> Result<Self, CaptureError> {
        let leftovers = loaded.maps.names()?;
        let watch = pinning.pins.as_ref().map_or(Ok(None), Watch::adopt)?;
        let windows = Windows::resume(&loaded.maps, leftovers.keys().copied().collect(), watch.as_ref())?;
        let watch = watch.map_or(DropWatch::Unneeded, DropWatch::On);
        Ok(Self {
            loaded,
            sizes,
            interfaces: Mutex::default(),
            windows: Mutex::new(windows),
            watch: Mutex::new(watch),
            leftovers: Mutex::new(leftovers),
            pinning,
        })
    }

    /// The interfaces that another process left attached, by number. Each stays
    /// at work until it is attached again, which must be under its number, or
    /// [`Capture::discard`] takes it off.
    pub fn leftovers(&self) -> Vec<(InterfaceNumber, String)> {
        let text = |name: &abi::Name| {
            let id: Vec<u8> = name.interface.iter().copied().take_while(|&byte| byte != 0).collect();
            String::from_utf8_lossy(&id).into_owned()
        };
        lock(&self.leftovers).iter().map(|(&number, name)| (number, text(name))).collect()
    }

    /// Numbers that the window or windows which another process left may have
    /// counts of: a new interface under one of them would get these.
    pub fn counted(&self) -> Vec<InterfaceNumber> {
        lock(&self.windows).present().collect()
    }

    /// Takes off what another process left and nobody wants.
    pub fn discard(&self, number: InterfaceNumber) -> Result<(), CaptureError> {
        if lock(&self.leftovers).remove(&number).is_none() {
            return Err(CaptureError::NotAttached(number));
        }
        self.unpin(number);
        self.forget(number)
    }

    /// Whether a window that another process closed waits to be saved.
    pub fn has_closed_window(&self) -> bool {
        lock(&self.windows).waits()
    }

    /// What [`Capture::set_memo`] was last given, by whatever process; zeros at
    /// the first start.
    pub fn memo(&self) -> Memo {
        lock(&self.windows).memo()
    }

    /// Keeps a few words for a process that takes over.
    pub fn set_memo(&self, memo: Memo) -> Result<(), CaptureError> {
        lock(&self.windows).set_memo(&self.loaded.maps, memo)
    }

    /// From now on a clean end leaves everything attached and at work as well,
    /// for the next process. Nothing changes if nothing can be pinned.
    pub fn keep(&self) {
        self.pinning.keep.store(true, Ordering::Relaxed);
    }

    /// Gives the maps their names. An interface works without, too.
    fn pin_maps(&self) -> Option<&Pins> {
        let pins = self.pinning.pins.as_ref()?;
        if !self.pinning.done.load(Ordering::Acquire) {
            if let Err(error) = self.loaded.maps.pin(pins) {
                tracing::warn!(%error, "nothing is pinned: if this process is killed, what runs is lost");
                return None;
            }
            self.pinning.done.store(true, Ordering::Release);
        }
        Some(pins)
    }

    fn unpin(&self, number: InterfaceNumber) {
        if let Some(pins) = &self.pinning.pins {
            link_names(number).iter().for_each(|name| pins.remove(name));
        }
    }

    /// The links that another process left under a number, with new programs.
    fn adopt_links(
        &self,
        number: InterfaceNumber,
        device: attach::Device,
        side: Side,
        pair: &Pair,
    ) -> Result<Option<Links>, CaptureError> {
        let known = lock(&self.leftovers).remove(&number);
        let (Some(known), Some(pins)) = (known, &self.pinning.pins) else { return Ok(None) };
        let [ingress, egress] = link_names(number);
        let links = [pins.get(&ingress)?, pins.get(&egress)?];
        let same_side = known.swap == u32::from(side == Side::Host);
        let adopted = if same_side { Links::adopt(device, links, pair)? } else { None };
        if adopted.is_none() {
            self.unpin(number);
        }
        Ok(adopted)
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
        self.divide(interfaces.len() + 1, number)?;
        let (pair, config) = self.prepare(number, attachment.side, attachment.mode, rules, false)?;
        let mut name = abi::Name { swap: u32::from(attachment.side == Side::Host), ..abi::Name::default() };
        for (to, from) in name.interface.iter_mut().zip(attachment.interface.as_str().bytes()) {
            *to = from;
        }
        let pins = self.pin_maps();
        self.loaded
            .maps
            .names
            .update(&number.0.to_ne_bytes(), bytes_of(&name), ANY)
            .map_err(CaptureError::doing(format!("note the name of interface {number}")))?;
        let links = match self.adopt_links(number, found.device, attachment.side, &pair) {
            // To pin them again would let go of them first.
            Ok(Some(links)) => Ok(links),
            Ok(None) => attach::attach(&found, &attachment.device, &pair)
                .and_then(|links| pins.map_or(Ok(()), |pins| links.pin(pins, number)).map(|()| links)),
            Err(error) => Err(error),
        };
        let links = match links {
            Ok(links) => links,
            Err(error) => {
                self.unpin(number);
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
            self.unpin(number);
            self.forget(number)?;
            return Err(error);
        }
        interfaces.insert(
            number,
            Attached { links: Some(links), config, device: Some(device), netns: attachment.netns.clone() },
        );
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
        // Without links and pins the programs are off the device.
        self.unpin(number);
        drop(attached);
        self.forget(number)?;
        self.divide(interfaces.len(), number)?;
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
        let pins = self.pinning.pins.as_ref();
        *watch = match Watch::start(&self.loaded.maps, pins) {
            Ok(started) => {
                let pinned = pins.map_or(Ok(()), |pins| started.pin(pins));
                if let Err(error) = pinned {
                    tracing::warn!(%error, "the watch on drops is not pinned");
                }
                DropWatch::On(started)
            }
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

    /// Those of [`Capture::attached`] whose device is no longer in the namespace
    /// that it was attached in. Enters each namespace, so it is not for every
    /// second; [`Capture::vanished`] is.
    pub fn moved(&self) -> Vec<InterfaceNumber> {
        let is_elsewhere = |attached: &Attached| {
            let device = attached.links.as_ref().and_then(Links::device);
            device.is_some_and(|device| !device.is_in(attached.netns.as_deref()))
        };
        lock(&self.interfaces).iter().filter(|(_, a)| is_elsewhere(a)).map(|(&number, _)| number).collect()
    }

    /// Whether an interface's programs are on the device that an attachment
    /// names: they are also when the device has been given that name since.
    pub fn is_on(&self, number: InterfaceNumber, attachment: &Attachment) -> bool {
        let interfaces = lock(&self.interfaces);
        let links = interfaces.get(&number).and_then(|attached| attached.links.as_ref());
        let device = links.and_then(Links::device);
        device.is_some() && attach::find(attachment).is_ok_and(|found| Some(found.device) == device)
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

    /// Gives each interface its part of the tables; those that another process
    /// left have theirs as well.
    fn divide(&self, attached: usize, number: InterfaceNumber) -> Result<(), CaptureError> {
        let left = lock(&self.leftovers).keys().filter(|&&other| other != number).count();
        lock(&self.windows).divide(&self.loaded.maps, self.sizes, attached + left)
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
        // One that another process left remembers verdicts under its generation.
        let mut before = abi::Interface::default();
        self.loaded
            .maps
            .interfaces
            .lookup(&number.0.to_ne_bytes(), bytes_of_mut(&mut before))
            .map_err(CaptureError::doing(format!("read what interface {number} is")))?;
        let generation = (before.generation + 1) & 0x3fff_ffff;
        let config = abi::Interface { mode: mode_number(mode), generation };
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
        maps.names
            .delete(&number.0.to_ne_bytes())
            .map_err(CaptureError::doing(format!("remove the name of interface {number}")))?;
        maps.set_interface(number, abi::Interface::default())?;
        maps.rules
            .delete(&number.0.to_ne_bytes())
            .map_err(CaptureError::doing(format!("remove the rules of interface {number}")))?;
        sweep::forget_interface(maps, number)
    }
}

impl Drop for Capture {
    /// A clean end leaves nothing behind, unless it is to.
    fn drop(&mut self) {
        if let Some(pins) = &self.pinning.pins
            && !self.pinning.keep.load(Ordering::Relaxed)
        {
            pins.clear();
        }
    }
}

#[cfg(any(test, feature = "testrun"))]
#[path = "capture_bench.rs"]
mod bench;
