//! A terminal that gives key by key while a line is typed, and is as it was
//! between lines, so that Ctrl-C interrupts what runs then.

use super::line::Key;
use anyhow::{Context, Result};
use rustix::termios::{self, OptionalActions, SpecialCodeIndex, Termios};
use std::io::{self, Read};

/// Keys one by one, until it is dropped.
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// # Errors
    /// Standard input is no terminal.
    pub fn new() -> Result<Self> {
        let before = termios::tcgetattr(io::stdin()).context("the terminal")?;
        let mut raw = before.clone();
        raw.make_raw();
        // `\n` goes to the row's start as it does elsewhere.
        raw.output_modes = before.output_modes;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        termios::tcsetattr(io::stdin(), OptionalActions::Drain, &raw).context("the terminal")?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Nobody is left to be told.
        termios::tcsetattr(io::stdin(), OptionalActions::Drain, &self.before).ok();
    }
}

/// How many columns standard output has.
pub fn columns() -> usize {
    let size = termios::tcgetwinsize(io::stdout());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}

/// The next key; `None` when there is no more input.
///
/// # Errors
/// The terminal cannot be read.
pub fn key(input: &mut impl Read) -> io::Result<Option<Key>> {
    let Some(first) = byte(input)? else { return Ok(None) };
    Ok(Some(match first {
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x08 | 0x7f => Key::Backspace,
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::EndOfInput,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x0b => Key::CutToEnd,
        0x0c => Key::ClearScreen,
        0x0e => Key::Down,
        0x10 => Key::Up,
        0x15 => Key::CutToStart,
        0x17 => Key::CutWord,
        0x1b => return escaped(input),
        0x20..=0x7e => Key::Char(char::from(first)),
        _ => return letter(first, input),
    }))
}

fn byte(input: &mut impl Read) -> io::Result<Option<u8>> {
    let mut one = [0];
    loop {
        match input.read(&mut one) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(one.first().copied()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What follows the escape character: ECMA-48, 5.4 "Control sequences", with xterm's keys.
fn escaped(input: &mut impl Read) -> io::Result<Option<Key>> {
    let Some(kind) = byte(input)? else { return Ok(None) };
    match kind {
        b'[' | b'O' => {}
        b'b' => return Ok(Some(Key::WordLeft)),
        b'f' => return Ok(Some(Key::WordRight)),
        0x7f | 0x08 => return Ok(Some(Key::CutWord)),
        _ => return Ok(Some(Key::Other)),
    }
    let mut parameters = Vec::new();
    let last = loop {
        match byte(input)? {
            None => return Ok(None),
            Some(letter @ 0x40..=0x7e) => break letter,
            // Longer than any key.
            Some(_) if parameters.len() > 16 => return Ok(Some(Key::Other)),
            Some(other) => parameters.push(other),
        }
    };
    let is_with_other = parameters.windows(2).any(|pair| matches!(pair, b";5" | b";3"));
    Ok(Some(match (last, parameters.as_slice()) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if is_with_other => Key::WordRight,
        (b'D', _) if is_with_other => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        _ => Key::Other,
    }))
}

/// A letter of several bytes of UTF-8.
fn letter(first: u8, input: &mut impl Read) -> io::Result<Option<Key>> {
    let length = match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return Ok(Some(Key::Other)),
    };
    let mut bytes = vec![first];
    while bytes.len() < length {
        let Some(next) = byte(input)? else { return Ok(None) };
        bytes.push(next);
    }
    let text = std::str::from_utf8(&bytes).ok();
    Ok(Some(text.and_then(|text| text.chars().next()).map_or(Key::Other, Key::Char)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_keys() {
        use Key::*;
        for (bytes, expected) in [
            ("aü€", vec![Char('a'), Char('ü'), Char('€')]),
            ("\r\n\t\x7f", vec![Enter, Enter, Tab, Backspace]),
            (
                "\x01\x03\x04\x05\x0b\x15\x17",
                vec![Home, Interrupt, EndOfInput, End, CutToEnd, CutToStart, CutWord],
            ),
            ("\x1b[A\x1b[B\x1bOC\x1b[D", vec![Up, Down, Right, Left]),
            ("\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[3~", vec![Home, End, Home, End, Delete]),
            ("\x1b[1;5C\x1b[1;5D\x1bb\x1bf\x1b\x7f", vec![WordRight, WordLeft, WordLeft, WordRight, CutWord]),
            ("\x1b[15~\x1b[200~x\x1bq", vec![Other, Other, Char('x'), Other]),
            ("\x00\x1b[", vec![Other]),
        ] {
            let mut input = bytes.as_bytes();
            let mut found = Vec::new();
            while let Some(key) = key(&mut input).unwrap() {
                found.push(key);
            }
            assert_eq!(found, expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_passed_over() {
        let mut input: &[u8] = b"\xff\xe2\x82x";
        assert_eq!(key(&mut input).unwrap(), Some(Key::Other));
        assert_eq!(key(&mut input).unwrap(), Some(Key::Other));
        assert_eq!(key(&mut input).unwrap(), None);
    }
}
