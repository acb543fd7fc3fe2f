//! Group commit: one queue for every change of the store.
//!
//! ```text
//! writers ─▶ queue ─▶ leader: check against the index ▶ one frame ▶ fdatasync ▶ apply ▶ answer all
//! ```
//!
//! A writer that finds no leader leads; the others wait. Batches that arrive
//! while the leader waits for the disk form the next frame together. A change
//! of a group or stream has a frame of its own, because what comes after it is
//! checked against its outcome.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, RwLock};

use crate::error::LogsError;
use crate::index::{LiveFile, State};
use crate::record::{BatchHead, EventAt, Events, Record, TokenHash, encode, encode_batch};
use crate::segment::Bell;
use crate::store::{Scope, lock, read_lock, write_lock};
use crate::wal::{FRAME_HEADER, Wal, new_frame};
use weir_types::time::UnixMillis;

/// About the most bytes of one frame of batches.
const MAX_FRAME_BYTES: usize = 8 << 20;

/// Checks the state and says what shall happen; nothing happens if it is empty.
type Change = Box<dyn FnOnce(&State) -> Result<Vec<Record>, LogsError> + Send>;

pub(crate) enum Request {
    Put(Put),
    Change(Change),
}

/// A checked, not empty batch.
pub(crate) struct Put {
    pub scope: Scope,
    pub group: String,
    pub stream: String,
    pub token: Option<TokenHash>,
    pub events: Events,
    pub now: UnixMillis,
}

pub(crate) enum Reply {
    Put(PutDone),
    /// What was written.
    Changed(Vec<Record>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PutDone {
    /// Of the stream.
    pub last_sequence: u64,
    pub stream: u64,
    /// The batch was stored now, not before.
    pub stored: bool,
}

type Outcome = Result<Reply, LogsError>;

pub(crate) struct Committer {
    pub state: RwLock<State>,
    wal: Mutex<Wal>,
    queue: Mutex<Queue>,
    answered: Condvar,
    /// Told when a log file is closed.
    rotated: Option<Arc<Bell>>,
}

#[derive(Default)]
struct Queue {
    next_ticket: u64,
    waiting: VecDeque<(u64, Request)>,
    answers: HashMap<u64, Outcome>,
    /// Somebody is committing.
    led: bool,
}

impl Committer {
    pub fn new(state: State, wal: Wal, rotated: Option<Arc<Bell>>) -> Self {
        Self {
            rotated,
            state: RwLock::new(state),
            wal: Mutex::new(wal),
            queue: Mutex::default(),
            answered: Condvar::new(),
        }
    }

    /// Waits until the request is durable or refused.
    pub fn submit(&self, request: Request) -> Outcome {
        let mut queue = lock(&self.queue);
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back((ticket, request));
        loop {
            if let Some(answer) = queue.answers.remove(&ticket) {
                return answer;
            }
            if queue.led {
                queue = self.answered.wait(queue).unwrap_or_else(|poison| poison.into_inner());
                continue;
            }
            let (tickets, run) = queue.take_run();
            queue.led = true;
            drop(queue);
            let mut lead = Lead { committer: self, tickets, answers: Vec::new() };
            lead.answers = self.commit(run);
            drop(lead);
            queue = lock(&self.queue);
        }
    }

    /// How many requests wait for the one that is being committed.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        lock(&self.queue).waiting.len()
    }

    /// One answer per request, in order.
    fn commit(&self, run: Vec<Request>) -> Vec<Outcome> {
        let mut puts = Vec::new();
        for request in run {
            match request {
                // Alone in its run.
                Request::Change(change) => return vec![self.change(change)],
                Request::Put(put) => puts.push(put),
            }
        }
        self.put(puts)
    }

    fn change(&self, change: Change) -> Outcome {
        let records = change(&read_lock(&self.state))?;
        if records.is_empty() {
            return Ok(Reply::Changed(records));
        }
        let mut frame = new_frame();
        for record in &records {
            encode(record, &mut frame);
        }
        self.write(&mut frame, records.clone()).map_err(LogsError::write)?;
        Ok(Reply::Changed(records))
    }

    fn put(&self, puts: Vec<Put>) -> Vec<Outcome> {
        let mut frame = new_frame();
        let mut records = Vec::new();
        let mut answers = Vec::with_capacity(puts.len());
        {
            let state = read_lock(&self.state);
            let mut next_sequence = state.next_sequence.max(1);
            // Stream and token: the last sequence of the batch in this frame.
            let mut in_frame: HashMap<(u64, TokenHash), u64> = HashMap::new();
            for put in puts {
                let found =
                    state.group(&put.scope, &put.group).and_then(|group| state.stream(group, &put.stream));
                let stream = match found {
                    Ok(stream) => stream,
                    Err(error) => {
                        answers.push(Err(error));
                        continue;
                    }
                };
                let id = stream.meta.id;
                if let Some(token) = put.token {
                    let durable = stream.meta.tokens.contains(&token);
                    let seen = stream.meta.seen.map_or(0, |seen| seen.last_sequence);
                    if let Some(last) =
                        durable.then_some(seen).or_else(|| in_frame.get(&(id, token)).copied())
                    {
                        answers.push(Ok(Reply::Put(PutDone {
                            last_sequence: last,
                            stream: id,
                            stored: false,
                        })));
                        continue;
                    }
                }
                let count = put.events.at.len() as u64;
                let head = BatchHead {
                    stream: id,
                    ingestion: put.now.0,
                    first_sequence: next_sequence,
                    token: put.token,
                };
                let base = encode_batch(&head, &put.events, &mut frame) - FRAME_HEADER as u32;
                let at = put.events.at.iter().map(|e| EventAt { offset: base + e.offset, ..*e }).collect();
                records.push(Record::Batch(head, at));
                next_sequence += count;
                if let Some(token) = put.token {
                    in_frame.insert((id, token), next_sequence - 1);
                }
                answers.push(Ok(Reply::Put(PutDone {
                    last_sequence: next_sequence - 1,
                    stream: id,
                    stored: true,
                })));
            }
        }
        if records.is_empty() {
            return answers;
        }
        if let Err(error) = self.write(&mut frame, records) {
            let error = LogsError::write(error);
            // A duplicate of a batch in this frame fails with it; one of a
            // durable batch may as well, it will be asked again.
            for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                *answer = Err(error.clone());
            }
        }
        answers
    }

    /// Makes the frame durable, then visible.
    fn write(&self, frame: &mut [u8], records: Vec<Record>) -> io::Result<()> {
        let mut wal = lock(&self.wal);
        if let Some(number) = wal.next_file(frame.len()) {
            self.start_file(&mut wal, number)?;
        }
        let (number, offset) = wal.append(frame)?;
        let applied = write_lock(&self.state).apply(records, number, offset + FRAME_HEADER as u64);
        debug_assert_eq!(applied, Ok(()));
        applied.map_err(io::Error::other)
    }
}

impl Committer {
    fn start_file(&self, wal: &mut Wal, number: u32) -> io::Result<()> {
        let mut snapshot = new_frame();
        for record in read_lock(&self.state).snapshot(number) {
            encode(&record, &mut snapshot);
        }
        let (number, file) = wal.rotate(snapshot)?;
        write_lock(&self.state).files.insert(number, LiveFile::new(file));
        if let Some(rotated) = &self.rotated {
            rotated.wake();
        }
        Ok(())
    }

    /// Whether somebody turns closed log files into segments.
    pub fn has_background(&self) -> bool {
        self.rotated.is_some()
    }

    /// Closes the log file that is written to, so that it can be flushed.
    pub fn rotate(&self) -> Result<(), LogsError> {
        let mut wal = lock(&self.wal);
        match wal.file_after() {
            Some(number) => self.start_file(&mut wal, number).map_err(LogsError::write),
            None => Ok(()),
        }
    }
}

impl Queue {
    /// The oldest request; if it is a batch, the batches right behind it too.
    fn take_run(&mut self) -> (Vec<u64>, Vec<Request>) {
        let (mut tickets, mut run) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        while let Some((ticket, request)) = self.waiting.pop_front() {
            match &request {
                Request::Change(_) if !run.is_empty() => {
                    self.waiting.push_front((ticket, request));
                    break;
                }
                Request::Change(_) => bytes = MAX_FRAME_BYTES,
                Request::Put(put) => bytes += put.events.bytes.len(),
            }
            tickets.push(ticket);
            run.push(request);
            if bytes >= MAX_FRAME_BYTES {
                break;
            }
        }
        (tickets, run)
    }
}

/// Answers everybody in the run when it is dropped, even by a panic: nobody
/// waits for ever.
struct Lead<'a> {
    committer: &'a Committer,
    tickets: Vec<u64>,
    answers: Vec<Outcome>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.committer.queue);
        queue.led = false;
        let mut answers = self.answers.drain(..);
        for ticket in self.tickets.drain(..) {
            let lost = || Err(LogsError::write(io::Error::other("the writing thread failed")));
            queue.answers.insert(ticket, answers.next().unwrap_or_else(lost));
        }
        drop(queue);
        self.committer.answered.notify_all();
    }
}
