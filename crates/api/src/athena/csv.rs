//! Pages of a result file: CSV as results are written, or lines.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// Values of a row; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// Rows from byte `from` on, at most `max`, and where the next page begins.
pub fn read(
    mut file: impl Read + Seek,
    from: u64,
    max: usize,
    is_csv: bool,
) -> io::Result<(Vec<Row>, Option<u64>)> {
    file.seek(SeekFrom::Start(from))?;
    let mut input = BufReader::new(file);
    let mut rows = Vec::new();
    let mut at = from;
    while rows.len() < max {
        let Some((row, length)) = (if is_csv { csv_row(&mut input)? } else { line(&mut input)? }) else {
            return Ok((rows, None));
        };
        at += length;
        rows.push(row);
    }
    let is_end = input.fill_buf()?.is_empty();
    Ok((rows, (!is_end).then_some(at)))
}

fn line(input: &mut impl BufRead) -> io::Result<Option<(Row, u64)>> {
    let mut bytes = Vec::new();
    let length = input.read_until(b'\n', &mut bytes)?;
    if length == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(Some((vec![Some(String::from_utf8_lossy(&bytes).into_owned())], length as u64)))
}

/// A record, which goes over more than one line if a value does.
fn csv_row(input: &mut impl BufRead) -> io::Result<Option<(Row, u64)>> {
    let mut bytes = Vec::new();
    // Quotes come in pairs, so an odd number says that the value goes on.
    loop {
        let read = input.read_until(b'\n', &mut bytes)?;
        if read == 0 || bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 0 {
            break;
        }
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    let length = bytes.len() as u64;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut row = Row::new();
    let mut rest: &str = &text;
    loop {
        let after = match rest.strip_prefix('"') {
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let value = &rest[..end];
                row.push((!value.is_empty()).then(|| value.to_owned()));
                &rest[end..]
            }
            Some(quoted) => {
                let mut value = String::new();
                let mut left = quoted;
                loop {
                    let Some(end) = left.find('"') else {
                        value.push_str(left);
                        left = "";
                        break;
                    };
                    value.push_str(&left[..end]);
                    left = &left[end + 1..];
                    match left.strip_prefix('"') {
                        Some(more) => {
                            value.push('"');
                            left = more;
                        }
                        None => break,
                    }
                }
                row.push(Some(value));
                left
            }
        };
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(Some((row, length))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn show(row: &Row) -> Vec<&str> {
        row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect()
    }

    #[test]
    fn pages_of_csv() {
        let file = "\"a\",\"b\"\n\"1\",\n\"x \"\"y\"\"\",\"two\nlines, one\"\n,\"\"\n";
        let (rows, next) = read(Cursor::new(file), 0, 2, true).unwrap();
        assert_eq!(rows.iter().map(show).collect::<Vec<_>>(), [["a", "b"], ["1", "NULL"]]);
        let (rows, next) = read(Cursor::new(file), next.unwrap(), 2, true).unwrap();
        assert_eq!(rows.iter().map(show).collect::<Vec<_>>(), [["x \"y\"", "two\nlines, one"], ["NULL", ""]]);
        assert_eq!(next, None);
        assert_eq!(read(Cursor::new(""), 0, 2, true).unwrap(), (vec![], None));
    }

    #[test]
    fn lines_are_rows() {
        let (rows, next) = read(Cursor::new("a\tb\nc"), 0, 1000, false).unwrap();
        assert_eq!(rows.iter().map(show).collect::<Vec<_>>(), [["a\tb"], ["c"]]);
        assert_eq!(next, None);
    }
}
