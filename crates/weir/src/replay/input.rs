//! Capture files to blocks of bytes, on a thread of their own: reading and
//! inflating go on while packets are counted.

use crate::records::compression::{Magic, Peek};
use crate::records::inputs::{Input, Place};
use crate::records::meter::{Buffers, Meter, Metered};
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

const BLOCK_BYTES: usize = 256 << 10;

/// What the reading thread sends: of each input a beginning, blocks, and an end.
pub enum Piece {
    Begin(Input),
    Block(Vec<u8>),
    End,
    /// It cannot be opened, or not be read further; an end follows.
    Failed(anyhow::Error),
}

/// Reads the inputs one after the other. Ends early if nobody takes what it sends.
pub fn read_all(inputs: Vec<Input>, meter: &Arc<Meter>, buffers: &Buffers, to: &SyncSender<Piece>) {
    for input in inputs {
        let begun = to.send(Piece::Begin(input.clone()));
        let failed = read(&input, meter, buffers, to).with_context(|| input.name()).err();
        let told = failed.map_or(Ok(()), |error| to.send(Piece::Failed(error)));
        if begun.and(told).and_then(|()| to.send(Piece::End)).is_err() {
            return;
        }
    }
}

fn read(input: &Input, meter: &Arc<Meter>, buffers: &Buffers, to: &SyncSender<Piece>) -> Result<()> {
    let mut bytes = match &input.place {
        Place::Stdin => Peek::new(Metered::new(io::stdin(), Arc::clone(meter))),
        Place::File(path) => {
            Peek::new(Metered::new(File::open(path).context("cannot be opened")?, Arc::clone(meter)))
        }
    };
    let magic = bytes.magic().context("cannot be read")?;
    if matches!(magic, Magic::Gzip | Magic::Zstd) {
        bytes = bytes.unwrap(magic).context("cannot be unpacked")?;
    }
    loop {
        let mut block = buffers.take();
        block.resize(BLOCK_BYTES, 0);
        let count = match bytes.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("cannot be read further"),
        };
        block.truncate(count);
        if to.send(Piece::Block(block)).is_err() {
            return Ok(());
        }
    }
}

/// The bytes of one input, taken from the channel.
pub struct Blocks<'a> {
    from: &'a Receiver<Piece>,
    buffers: &'a Buffers,
    block: Vec<u8>,
    at: usize,
    is_over: bool,
    /// Why the input ended before its end.
    pub failure: Option<anyhow::Error>,
}

impl<'a> Blocks<'a> {
    pub fn new(from: &'a Receiver<Piece>, buffers: &'a Buffers) -> Self {
        Self { from, buffers, block: Vec::new(), at: 0, is_over: false, failure: None }
    }

    /// Passes over what is left of the input.
    pub fn drain(&mut self) {
        while !self.is_over {
            self.next_block();
        }
    }

    fn next_block(&mut self) {
        self.at = 0;
        match self.from.recv() {
            Ok(Piece::Block(block)) => self.buffers.give_back(std::mem::replace(&mut self.block, block)),
            Ok(Piece::Failed(error)) => {
                self.block.clear();
                self.failure = Some(error);
            }
            Ok(Piece::Begin(_) | Piece::End) | Err(_) => {
                self.block.clear();
                self.is_over = true;
            }
        }
    }
}

impl Read for Blocks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.block.len() && !self.is_over {
            self.next_block();
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}
