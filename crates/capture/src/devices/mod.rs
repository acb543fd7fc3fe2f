//! Which devices there are, in this network namespace and others, and when that
//! changes.
//!
//! A namespace is watched through sockets that were opened inside; the kernel
//! keeps it alive for them. So one whose name is gone must be let go at once:
//! the folders of names are watched too, and the caller says again and again
//! which namespaces it wants ([`Devices::follow`]).
//!
//! Not here: what is done about a device.

mod message;

use crate::error::CaptureError;
use crate::netns::{DOCKER, NAMED, Namespace, id_of};
use crate::sys::watch;
use message::{Answer, Found};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A list of devices is asked for so often if they change in the middle of it.
const ATTEMPTS: u32 = 5;

/// A device of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Tells it from every other device of its namespace, whatever its name.
    pub index: u32,
    pub name: String,
    /// `veth`, `tun`, `bridge`; empty for a device of hardware.
    pub kind: String,
    /// ARPHRD_ETHER and so on of linux/if_arp.h.
    pub link_type: u16,
    pub up: bool,
    /// The index of its bridge or bond.
    pub master: Option<u32>,
    /// With the lengths of their networks.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// The devices of one namespace.
#[derive(Debug)]
pub struct Seen<'a> {
    /// As [`Devices::follow`] was told; `None` is this process's own.
    pub netns: Option<&'a str>,
    /// Tells namespaces apart.
    pub id: u64,
    pub devices: &'a BTreeMap<u32, Device>,
}

/// A namespace that is watched.
#[derive(Debug)]
struct Watched {
    id: u64,
    /// Says that something changed, not what.
    events: File,
    ask: File,
    sequence: u32,
    devices: BTreeMap<u32, Device>,
    is_stale: bool,
    /// False: nothing is known of the devices yet.
    was_listed: bool,
}

/// A watch on the devices of several namespaces. It belongs to one thread.
#[derive(Debug)]
pub struct Devices {
    own: Watched,
    others: BTreeMap<String, Watched>,
    /// Namespaces that are there and could not be opened.
    unopened: BTreeSet<String>,
    /// Names that come and go; `None` where the kernel has no inotify left.
    names: Option<File>,
    woken: UnixStream,
    waker: UnixStream,
}

/// Ends a [`Devices::wait`] from another thread.
#[derive(Debug)]
pub struct Waker(UnixStream);

impl Waker {
    pub fn wake(&self) {
        // A full pipe wakes as well.
        let _ = (&self.0).write(&[0]);
    }
}

impl Watched {
    /// In the calling thread's namespace.
    fn open(id: u64) -> io::Result<Self> {
        let events = watch::rtnetlink(watch::DEVICE_GROUPS)?;
        let ask = watch::rtnetlink(0)?;
        Ok(Self { id, events, ask, sequence: 0, devices: BTreeMap::new(), is_stale: true, was_listed: false })
    }

    fn refresh(&mut self) -> io::Result<()> {
        for _ in 0..ATTEMPTS {
            if let Some(devices) = self.list()? {
                (self.devices, self.is_stale, self.was_listed) = (devices, false, true);
                return Ok(());
            }
        }
        Err(io::Error::new(io::ErrorKind::Interrupted, "devices change faster than they can be listed"))
    }

    /// `None` if something changed meanwhile: the list may have holes.
    fn list(&mut self) -> io::Result<Option<BTreeMap<u32, Device>>> {
        let mut found = Found::default();
        for kind in [message::RTM_GETLINK, message::RTM_GETADDR] {
            self.sequence = self.sequence.wrapping_add(1).max(1);
            self.ask.write_all(&message::dump(kind, self.sequence))?;
            // The kernel's datagrams are at most 32 KiB.
            let mut datagram = vec![0; 1 << 16];
            loop {
                let length = self.ask.read(&mut datagram)?;
                let datagram = datagram.get(..length).unwrap_or_default();
                match message::read(datagram, self.sequence, &mut found) {
                    Answer::More => {}
                    Answer::Done => break,
                    Answer::Interrupted => return Ok(None),
                    Answer::Failed(number) => return Err(io::Error::from_raw_os_error(number)),
                }
            }
        }
        Ok(Some(found.devices))
    }
}

/// Reads what there is and throws it away. More than fits was lost on the way:
/// that too is only a sign.
fn drain(mut file: impl Read) {
    let mut buffer = [0; 1 << 14];
    for _ in 0..1000 {
        match file.read(&mut buffer) {
            Ok(0) => return,
            Err(error) if error.raw_os_error() != Some(libc::ENOBUFS) => return,
            _ => {}
        }
    }
}

impl Devices {
    /// Begins with this process's own namespace.
    ///
    /// # Errors
    /// No rtnetlink socket, or no descriptors.
    pub fn open() -> Result<Self, CaptureError> {
        let doing = || CaptureError::doing("watch the devices of this host");
        let own = Namespace::open(None)?.id()?.1;
        let own = Watched::open(own).map_err(doing())?;
        let (woken, waker) = UnixStream::pair().map_err(doing())?;
        for stream in [&woken, &waker] {
            stream.set_nonblocking(true).map_err(doing())?;
        }
        Ok(Self {
            own,
            others: BTreeMap::new(),
            unopened: BTreeSet::new(),
            names: watch::inotify().ok(),
            woken,
            waker,
        })
    }

    /// # Errors
    /// No descriptors.
    pub fn waker(&self) -> Result<Waker, CaptureError> {
        self.waker.try_clone().map(Waker).map_err(CaptureError::doing("make a waker"))
    }

    /// Waits until something may have changed, at most `patience`.
    pub fn wait(&mut self, patience: Duration) {
        for folder in [NAMED, DOCKER] {
            if let Some(names) = &self.names {
                // A folder that is not there yet is tried again.
                let _ = watch::watch_names(names.as_fd(), Path::new(folder));
            }
        }
        let mut files = vec![self.woken.as_fd(), self.own.events.as_fd()];
        files.extend(self.others.values().map(|watched| watched.events.as_fd()));
        files.extend(self.names.as_ref().map(AsFd::as_fd));
        let Ok(readable) = watch::readable(&files, patience) else {
            // Looking at everything is always right.
            std::thread::sleep(patience);
            self.own.is_stale = true;
            self.others.values_mut().for_each(|watched| watched.is_stale = true);
            return;
        };
        drain(&self.woken);
        if let Some(names) = &self.names {
            drain(names);
        }
        let watched = std::iter::once(&mut self.own).chain(self.others.values_mut());
        for (watched, readable) in watched.zip(readable.into_iter().skip(1)) {
            if readable {
                drain(&watched.events);
                watched.is_stale = true;
            }
        }
    }

    /// Watches these namespaces, by name or absolute path, and no others but
    /// this process's own. Answers those that cannot be, with the reason.
    pub fn follow(&mut self, wanted: &BTreeSet<String>) -> Vec<(String, CaptureError)> {
        self.others.retain(|name, watched| wanted.contains(name) && id_of(name) == Some(watched.id));
        let mut failed = Vec::new();
        for name in wanted {
            // Its own under another name is seen already.
            if self.others.contains_key(name) || id_of(name) == Some(self.own.id) {
                continue;
            }
            match open(name) {
                // It has been given that name just now.
                Ok(watched) if watched.id == self.own.id => {}
                Ok(watched) => drop(self.others.insert(name.clone(), watched)),
                Err(error) => failed.push((name.clone(), error)),
            }
        }
        let is_there = |name: &&String| id_of(name).is_some();
        self.unopened = failed.iter().map(|(name, _)| name).filter(is_there).cloned().collect();
        failed
    }

    /// Namespaces of which nothing is known, although they are there: what was in
    /// them may be there still. `None` is this process's own.
    pub fn unlisted(&self) -> BTreeSet<Option<String>> {
        let own = (!self.own.was_listed).then_some(None);
        let others = self.others.iter().filter(|(_, watched)| !watched.was_listed).map(|(name, _)| name);
        own.into_iter().chain(others.chain(&self.unopened).cloned().map(Some)).collect()
    }

    /// Lists what has changed.
    pub fn refresh(&mut self) {
        for watched in std::iter::once(&mut self.own).chain(self.others.values_mut()) {
            if watched.is_stale
                && let Err(error) = watched.refresh()
            {
                tracing::debug!(%error, "the devices of a namespace cannot be listed");
            }
        }
    }

    /// What there is, as of the last refresh; of a namespace with two names one
    /// time, of one that could not be listed yet nothing.
    pub fn look(&self) -> Vec<Seen<'_>> {
        let mut seen = Vec::new();
        if self.own.was_listed {
            seen.push(Seen { netns: None, id: self.own.id, devices: &self.own.devices });
        }
        for (name, watched) in &self.others {
            if watched.was_listed && !seen.iter().any(|other| other.id == watched.id) {
                seen.push(Seen { netns: Some(name), id: watched.id, devices: &watched.devices });
            }
        }
        seen
    }
}

fn open(name: &str) -> Result<Watched, CaptureError> {
    let namespace = Namespace::open(Some(name))?;
    let id = namespace.id()?.1;
    namespace
        .run(|| Watched::open(id))?
        .map_err(CaptureError::doing(format!("watch the devices of network namespace '{name}'")))
}

/// The namespaces that have a name: those of `ip netns` by it, those of Docker
/// by their path.
pub fn named_namespaces() -> Vec<String> {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    let docker = names(DOCKER).into_iter().map(|name| format!("{DOCKER}/{name}"));
    names(NAMED).into_iter().chain(docker).collect()
}
