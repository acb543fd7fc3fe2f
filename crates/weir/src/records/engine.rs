//! Runs a job over inputs on all cores, in bounded memory, and delivers what
//! comes out in the order of the inputs.
//!
//! ```text
//! worker: take an input's source ─▶ next block ─▶ give the source back ─▶ process ─▶ ready
//!                                                                                      │ in order
//! caller:                                Begin(input), Block(out)..., End | Failed  ◀──┘
//! ```
//!
//! A source is one worker's for as long as it reads a block, so that blocks of
//! one input have an order; processing, the larger part, is parallel within an
//! input and across inputs. Workers go for the first input that is not being
//! read, and ahead to the next ones only while what waits to be delivered is
//! small. That bounds memory, and no order of speeds changes what comes out.

use super::inputs::{Input, Place};
use super::source::{Block, Opened, Opening, Source};
use anyhow::Result;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Bytes that may wait to be delivered before workers stop going ahead.
const WAITING_BYTES: usize = 6 << 20;
/// So much of the first input, in bytes or blocks, is worth waking the caller for.
const WORTH_BYTES: usize = 256 << 10;
const WORTH_BLOCKS: usize = 16;
/// More workers would need more memory than is promised.
const MAX_WORKERS: usize = 16;

/// What is done with each block.
pub trait Job: Send + Sync + 'static {
    /// A worker's own memory.
    type Worker: Default;
    type Out: Send + 'static;

    fn process(&self, worker: &mut Self::Worker, opened: &Arc<Opened>, block: &Block) -> Self::Out;

    /// Called once a worker has no more to do.
    fn finish(&self, _worker: Self::Worker) {}

    /// Memory that an output holds, in bytes.
    fn weight(out: &Self::Out) -> usize;
}

/// What the caller of [`run`] gets, in order.
pub enum Event<O> {
    Begin(Arc<Opened>),
    Block(O),
    End,
    /// The input could not be opened, or not be read further.
    Failed(anyhow::Error),
}

struct Shared<J: Job> {
    job: J,
    opening: Opening,
    inputs: Vec<Input>,
    state: Mutex<State<J::Out>>,
    /// Workers wait here for an input to read, the caller for what is ready.
    /// Who does not wait is not woken: each costs a change to the kernel, and
    /// blocks are many.
    readable: Condvar,
    deliverable: Condvar,
}

struct State<O> {
    /// Inputs from the one that is delivered to the last one that was begun.
    active: VecDeque<Active<O>>,
    /// Of the first of `active`.
    first: usize,
    waiting_bytes: usize,
    is_stopped: bool,
    workers: usize,
    idle_workers: usize,
    is_caller_waiting: bool,
}

struct Active<O> {
    source: Reading,
    opened: Option<Arc<Opened>>,
    is_announced: bool,
    /// Blocks that were read, and delivered.
    read: u64,
    delivered: u64,
    ready: BTreeMap<u64, (usize, O)>,
    /// Of `ready`.
    waiting_bytes: usize,
    failure: Option<anyhow::Error>,
}

enum Reading {
    Idle(Box<Source>),
    /// A worker has it.
    Busy,
    AtEnd,
}

/// Runs `job` over `inputs` and gives every event to `deliver`, on the calling
/// thread, until it breaks off. `opened` are the first inputs, if they were
/// opened before. Gives the job back, unless `deliver` broke off while workers
/// were still reading.
///
/// # Errors
/// Those of `deliver`. An input's own errors are events.
pub fn run<J: Job>(
    job: J,
    opening: Opening,
    inputs: Vec<Input>,
    opened: Vec<Result<Source>>,
    mut deliver: impl FnMut(Event<J::Out>) -> Result<ControlFlow<()>>,
) -> Result<Option<J>> {
    let workers = thread::available_parallelism().map_or(2, usize::from).min(MAX_WORKERS);
    let active = opened.into_iter().map(|source| match source {
        Ok(source) => Active::new(Reading::Idle(Box::new(source))),
        Err(error) => Active { failure: Some(error), ..Active::new(Reading::AtEnd) },
    });
    let state = State {
        active: active.collect(),
        first: 0,
        waiting_bytes: 0,
        is_stopped: false,
        workers,
        idle_workers: 0,
        is_caller_waiting: false,
    };
    let shared = Arc::new(Shared {
        job,
        opening,
        inputs,
        state: Mutex::new(state),
        readable: Condvar::new(),
        deliverable: Condvar::new(),
    });
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work())
        })
        .collect();
    let mut done = Ok(());
    let mut is_whole = true;
    while let Some(event) = shared.next_event() {
        let flow = deliver(event);
        is_whole = matches!(flow, Ok(ControlFlow::Continue(())));
        if !is_whole {
            done = flow.map(drop);
            break;
        }
    }
    shared.lock().is_stopped = true;
    shared.readable.notify_all();
    // A worker that waits for a pipe would be waited for: after a stop it is left alone.
    for thread in threads {
        if (is_whole || thread.is_finished()) && thread.join().is_err() {
            anyhow::bail!("a worker failed: this is a bug in weir");
        }
    }
    done?;
    Ok(Arc::try_unwrap(shared).ok().map(|shared| shared.job))
}

impl<J: Job> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, State<J::Out>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        // Also when it panics: whoever waits for it must not wait for ever.
        struct Gone<'a, J: Job>(&'a Shared<J>);
        impl<J: Job> Drop for Gone<'_, J> {
            fn drop(&mut self) {
                self.0.lock().workers -= 1;
                self.0.readable.notify_all();
                self.0.deliverable.notify_all();
            }
        }
        let _gone = Gone(self);
        let mut worker = J::Worker::default();
        let mut buffer = Vec::new();
        while let Some((index, source)) = self.take_source() {
            let read = self.read(index, source, std::mem::take(&mut buffer));
            let mut state = self.lock();
            let first = state.first;
            let Some(active) = index.checked_sub(first).and_then(|at| state.active.get_mut(at)) else {
                return;
            };
            let number = active.read;
            let is_at_end = !matches!(read, Ok((_, Some(_))));
            let block = match read {
                Ok((source, block)) => {
                    active.opened.get_or_insert_with(|| Arc::clone(&source.opened));
                    active.source = match block {
                        Some(_) => Reading::Idle(source),
                        None => Reading::AtEnd,
                    };
                    active.read += u64::from(block.is_some());
                    block.zip(active.opened.clone())
                }
                Err(error) => {
                    active.source = Reading::AtEnd;
                    active.failure = Some(error);
                    None
                }
            };
            let is_awaited = state.idle_workers > 0;
            let wakes_caller = is_at_end && state.is_caller_waiting;
            drop(state);
            match is_at_end {
                true if is_awaited => self.readable.notify_all(),
                false if is_awaited => self.readable.notify_one(),
                _ => {}
            }
            if wakes_caller {
                self.deliverable.notify_one();
            }
            if let Some((block, opened)) = block {
                let out = self.job.process(&mut worker, &opened, &block);
                let weight = J::weight(&out);
                if let Block::Text(text, _) = block {
                    buffer = text;
                }
                let mut state = self.lock();
                let first = state.first;
                state.waiting_bytes += weight;
                if let Some(active) = index.checked_sub(first).and_then(|at| state.active.get_mut(at)) {
                    active.waiting_bytes += weight;
                    active.ready.insert(number, (weight, out));
                }
                let wakes_caller = state.is_caller_waiting && state.is_worth_delivering();
                drop(state);
                if wakes_caller {
                    self.deliverable.notify_one();
                }
            }
        }
        self.job.finish(worker);
    }

    fn read(
        &self,
        index: usize,
        source: Option<Box<Source>>,
        buffer: Vec<u8>,
    ) -> Result<(Box<Source>, Option<Block>)> {
        let mut source = match (source, self.inputs.get(index)) {
            (Some(source), _) => source,
            (None, Some(input)) => Box::new(Source::open(input, &self.opening)?),
            (None, None) => anyhow::bail!("there is no input {index}"),
        };
        let block = source.next(buffer)?;
        Ok((source, block))
    }

    /// Waits for an input to read a block of; `None` when there is no more to do.
    fn take_source(&self) -> Option<(usize, Option<Box<Source>>)> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(taken) = state.take_source(self.inputs.len()) {
                return Some(taken);
            }
            let is_over = state.first + state.active.len() == self.inputs.len()
                && state.active.iter().all(|active| matches!(active.source, Reading::AtEnd));
            if is_over {
                return None;
            }
            state.idle_workers += 1;
            state = self.readable.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle_workers -= 1;
        }
    }

    /// Waits for what is next in order; `None` after the last input.
    fn next_event(&self) -> Option<Event<J::Out>> {
        let mut state = self.lock();
        loop {
            if state.first == self.inputs.len() {
                return None;
            }
            let (was_full, was_first) = (state.is_full(), state.first);
            if let Some(event) = state.next_event() {
                let gives_way = was_full || state.first != was_first;
                let is_awaited = state.idle_workers > 0 && gives_way;
                drop(state);
                if is_awaited {
                    self.readable.notify_all();
                }
                return Some(event);
            }
            if state.workers == 0 {
                return None;
            }
            state.is_caller_waiting = true;
            state = self.deliverable.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.is_caller_waiting = false;
        }
    }
}

impl<O> Active<O> {
    fn new(source: Reading) -> Self {
        Self {
            opened: match &source {
                Reading::Idle(source) => Some(Arc::clone(&source.opened)),
                _ => None,
            },
            source,
            is_announced: false,
            read: 0,
            delivered: 0,
            ready: BTreeMap::new(),
            waiting_bytes: 0,
            failure: None,
        }
    }
}

impl<O> State<O> {
    /// Whether workers wait for something to be delivered.
    fn is_full(&self) -> bool {
        self.waiting_bytes > WAITING_BYTES
    }

    /// Whether there is enough of the first input, or nobody knows when there
    /// will be more.
    fn is_worth_delivering(&self) -> bool {
        self.active.front().is_some_and(|active| {
            let is_live = active.opened.as_ref().is_none_or(|opened| opened.input.place == Place::Stdin);
            is_live
                || matches!(active.source, Reading::AtEnd)
                || active.waiting_bytes >= WORTH_BYTES
                || active.ready.len() >= WORTH_BLOCKS
        })
    }

    fn take_source(&mut self, inputs: usize) -> Option<(usize, Option<Box<Source>>)> {
        // The first input never waits for the ones behind it, or nothing would
        // be delivered any more; only for whoever takes what is delivered.
        let ahead = if self.is_full() { 1 } else { self.workers * 2 };
        if self.active.front().is_some_and(|active| active.waiting_bytes > WAITING_BYTES) {
            return None;
        }
        for (at, active) in self.active.iter_mut().enumerate().take(ahead) {
            match std::mem::replace(&mut active.source, Reading::Busy) {
                Reading::Idle(source) => return Some((self.first + at, Some(source))),
                other => active.source = other,
            }
        }
        let next = self.first + self.active.len();
        if next < inputs && self.active.len() < ahead {
            self.active.push_back(Active::new(Reading::Busy));
            return Some((next, None));
        }
        None
    }

    fn next_event(&mut self) -> Option<Event<O>> {
        let active = self.active.front_mut()?;
        if !active.is_announced
            && let Some(opened) = &active.opened
        {
            active.is_announced = true;
            return Some(Event::Begin(Arc::clone(opened)));
        }
        if let Some((weight, out)) = active.ready.remove(&active.delivered) {
            active.delivered += 1;
            active.waiting_bytes -= weight;
            self.waiting_bytes -= weight;
            return Some(Event::Block(out));
        }
        if !matches!(active.source, Reading::AtEnd) || active.delivered < active.read {
            return None;
        }
        let failure = active.failure.take();
        self.active.pop_front();
        self.first += 1;
        Some(failure.map_or(Event::End, Event::Failed))
    }
}
