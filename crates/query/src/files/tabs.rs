//! Records divided by tabs, given out as lines.
//!
//! ```text
//! record\trecord\trecord       aws logs ... --query 'events[].message' --output text
//! 1418530010000\trecord        aws logs ... --query 'events[].[timestamp,message]' --output text
//! ```
//!
//! What stands beside records has no space, and is left out.

use std::io::{self, BufRead, BufReader, Read};

/// What is longer is no record, and goes out as it comes in.
const LONGEST_BYTES: usize = 1 << 20;

pub struct TabLines<R> {
    source: BufReader<R>,
    /// What is given out next, from `at` on.
    part: Vec<u8>,
    at: usize,
    is_first_of_line: bool,
}

impl<R: Read> TabLines<R> {
    pub fn new(source: R) -> Self {
        Self { source: BufReader::new(source), part: Vec::new(), at: 0, is_first_of_line: true }
    }

    /// The next part with a space, or a line without tabs.
    fn fill(&mut self) -> io::Result<()> {
        self.part.clear();
        self.at = 0;
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr2(b'\t', b'\n', chunk);
            let text = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let ending = end.and_then(|end| chunk.get(end)).copied();
            let (is_end, taken) = (chunk.is_empty(), text.len() + usize::from(end.is_some()));
            self.part.extend_from_slice(text);
            self.source.consume(taken);
            if is_end {
                return Ok(());
            }
            let Some(ending) = ending else {
                if self.part.len() > LONGEST_BYTES {
                    return Ok(());
                }
                continue;
            };
            let is_line = self.is_first_of_line && ending == b'\n';
            self.is_first_of_line = ending == b'\n';
            if is_line || self.part.contains(&b' ') {
                self.part.push(b'\n');
                return Ok(());
            }
            self.part.clear();
        }
    }
}

impl<R: Read> Read for TabLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.part.len() {
            self.fill()?;
        }
        let rest = self.part.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_are_lines() {
        for (text, lines) in [
            ("", ""),
            ("a b", "a b"),
            ("a b\tc d\te f\n", "a b\nc d\ne f\n"),
            ("a b\tc d\n\ng\nh i\tj k", "a b\nc d\n\ng\nh i\nj k"),
            ("1\ta b\n2\tc d\r\n", "a b\nc d\r\n"),
            ("a b\t1\nc d\t2\n", "a b\nc d\n"),
            ("a b\t", "a b\n"),
        ] {
            let mut found = String::new();
            TabLines::new(text.as_bytes()).read_to_string(&mut found).unwrap();
            assert_eq!(found, lines, "{text:?}");
        }
        let long = "x".repeat(3 * LONGEST_BYTES) + "\ta b\n";
        let mut found = String::new();
        TabLines::new(long.as_bytes()).read_to_string(&mut found).unwrap();
        assert!(found.ends_with("a b\n"));
    }

    proptest! {
        #[test]
        fn it_does_not_depend_on_how_the_source_is_cut(text in "[a \\t\\n\\r]{0,40}", size in 1..9usize) {
            let mut whole = String::new();
            TabLines::new(text.as_bytes()).read_to_string(&mut whole).unwrap();
            let source = BufReader::with_capacity(size, text.as_bytes());
            let mut cut = TabLines { source, part: Vec::new(), at: 0, is_first_of_line: true };
            let mut found = String::new();
            cut.read_to_string(&mut found).unwrap();
            prop_assert_eq!(&found, &whole);
            // Nothing that has a space is lost.
            let words = |text: &str| text.split(['\t', '\n']).filter(|part| part.contains(' ')).count();
            prop_assert_eq!(words(&found), words(&text));
        }
    }
}
