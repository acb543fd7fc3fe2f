//! A disk in memory that knows what was synced, counts syncs, fails and loses
//! power on command.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex};

use crate::files::{Files, LogFile};
use crate::store::lock;

#[derive(Clone, Default)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
    hold: Arc<Mutex<Option<Hold>>>,
}

type Hold = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    contents: HashMap<u64, Content>,
    next: u64,
    plan: Option<Plan>,
    dead: bool,
    syncs: u64,
}

#[derive(Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
}

struct Plan {
    /// Changes of the disk that still work.
    after: u64,
    /// Changes that then fail; `None`: nothing works any more.
    failures: Option<u64>,
}

struct Handle {
    disk: Disk,
    id: u64,
}

impl Disk {
    /// After this many more changes of the disk, as many fail (disk full).
    pub fn fail(&self, after: u64, failures: u64) {
        lock(&self.state).plan = Some(Plan { after, failures: Some(failures) });
    }

    /// After this many more changes of the disk, nothing works any more.
    pub fn stop(&self, after: u64) {
        lock(&self.state).plan = Some(Plan { after, failures: None });
    }

    /// The process died, the machine went on: all that was written is there.
    pub fn revive(&self) {
        let mut state = lock(&self.state);
        state.dead = false;
        state.plan = None;
    }

    pub fn is_dead(&self) -> bool {
        lock(&self.state).dead
    }

    /// Cancels what was planned.
    pub fn calm(&self) {
        lock(&self.state).plan = None;
    }

    /// What a disk may hold when the power comes back: of every block of 32
    /// bytes, and of the names, either what was synced or what was written.
    pub fn power_up(&self, mut seed: u64) {
        let mut bit = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.is_multiple_of(2)
        };
        let mut state = lock(&self.state);
        state.dead = false;
        state.plan = None;
        if bit() {
            state.names = state.durable_names.clone();
        }
        state.durable_names = state.names.clone();
        let mut ids: Vec<u64> = state.contents.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            let Some(content) = state.contents.get_mut(&id) else { continue };
            let length = if bit() { content.now.len() } else { content.durable.len() };
            let mut bytes = vec![0; length];
            for (i, block) in bytes.chunks_mut(32).enumerate() {
                let from = if bit() { &content.now } else { &content.durable };
                let from = from.get(i * 32..).unwrap_or_default();
                let n = from.len().min(block.len());
                block[..n].copy_from_slice(&from[..n]);
            }
            *content = Content { now: bytes.clone(), durable: bytes };
        }
    }

    /// fsync and fdatasync calls on files.
    pub fn syncs(&self) -> u64 {
        lock(&self.state).syncs
    }

    /// Runs in the next fdatasync, before it is done.
    pub fn in_next_sync(&self, hold: impl FnOnce() + Send + 'static) {
        *lock(&self.hold) = Some(Box::new(hold));
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let state = lock(&self.state);
        state.contents[&state.names[name]].now.clone()
    }

    pub fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let mut state = lock(&self.state);
        let id = state.names[name];
        state.contents.insert(id, Content { now: bytes.clone(), durable: bytes });
    }

    /// A disk with the same bytes, all durable.
    pub fn copy(&self) -> Self {
        let copy = Self::default();
        let state = lock(&self.state);
        *lock(&copy.state) = State {
            names: state.names.clone(),
            durable_names: state.names.clone(),
            contents: state.contents.clone(),
            next: state.next,
            ..State::default()
        };
        drop(state);
        copy
    }
}

impl State {
    /// Whether the next change of the disk fails.
    fn fails(&mut self) -> bool {
        let Some(plan) = &mut self.plan else { return self.dead };
        if plan.after > 0 {
            plan.after -= 1;
            return self.dead;
        }
        match &mut plan.failures {
            None => self.dead = true,
            Some(0) => self.plan = None,
            Some(n) => {
                *n -= 1;
                return true;
            }
        }
        self.dead
    }

    fn change(&mut self) -> io::Result<()> {
        if self.fails() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Files for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(lock(&self.state).names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let state = lock(&self.state);
        let id = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Handle { disk: self.clone(), id }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let mut state = lock(&self.state);
        state.change()?;
        state.next += 1;
        let id = state.next;
        state.names.insert(name.into(), id);
        state.contents.insert(id, Content::default());
        Ok(Arc::new(Handle { disk: self.clone(), id }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = lock(&self.state);
        state.change()?;
        let id = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.into(), id);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = lock(&self.state);
        state.change()?;
        state.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        state.change()?;
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        name.into()
    }
}

impl Handle {
    fn content<T>(&self, change: impl FnOnce(&mut Content) -> T) -> T {
        change(lock(&self.disk.state).contents.get_mut(&self.id).unwrap())
    }
}

impl LogFile for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content(|content| content.now.len() as u64))
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let offset = offset as usize;
        self.content(|content| {
            let held = content.now.get(offset..offset + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            bytes.copy_from_slice(held);
            Ok(())
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let failed = lock(&self.disk.state).change();
        // A full disk takes what fits.
        let bytes = if failed.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        self.content(|content| {
            if content.now.len() < end {
                content.now.resize(end, 0);
            }
            content.now[start..end].copy_from_slice(bytes);
        });
        failed
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        lock(&self.disk.state).change()?;
        self.content(|content| content.now.resize(len as usize, 0));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let hold = lock(&self.disk.hold).take();
        if let Some(hold) = hold {
            hold();
        }
        self.sync_all()
    }

    fn sync_all(&self) -> io::Result<()> {
        let mut state = lock(&self.disk.state);
        let result = state.change();
        state.syncs += 1;
        // Some failed syncs have written all the same.
        let written = result.is_ok() || (!state.dead && state.syncs.is_multiple_of(2));
        drop(state);
        if written {
            self.content(|content| content.durable = content.now.clone());
        }
        result
    }
}
