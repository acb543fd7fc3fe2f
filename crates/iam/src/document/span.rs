//! Where the statements of a policy stand in its text.

/// A place in a text; line and column count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// The first and the last character of each statement of a valid document, in
/// their order.
pub fn statement_spans(text: &str) -> Vec<(Position, Position)> {
    let mut scan = Scan::default();
    let mut at = Position { line: 1, column: 1 };
    for c in text.chars() {
        scan.step(c, at);
        at = match c {
            '\n' => Position { line: at.line + 1, column: 1 },
            _ => Position { column: at.column + 1, ..at },
        };
    }
    scan.found
}

#[derive(Default)]
struct Scan {
    /// Open braces and brackets.
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    /// The text that was read last.
    text: String,
    /// The key of the outermost object whose value is being read.
    key: String,
    /// Whether the value of `Statement` is a list.
    is_list: bool,
    start: Option<Position>,
    found: Vec<(Position, Position)>,
}

impl Scan {
    fn step(&mut self, c: char, at: Position) {
        if self.in_text {
            match c {
                _ if self.is_escaped => self.is_escaped = false,
                '\\' => self.is_escaped = true,
                '"' => self.in_text = false,
                c => self.text.push(c),
            }
            return;
        }
        match c {
            '"' => {
                self.in_text = true;
                self.text.clear();
            }
            ':' if self.depth == 1 => self.key = std::mem::take(&mut self.text),
            '{' | '[' => {
                if self.depth == 1 {
                    self.is_list = c == '[';
                }
                if self.key == "Statement" && c == '{' && self.depth == self.outside() {
                    self.start = Some(at);
                }
                self.depth += 1;
            }
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == self.outside() && c == '}' {
                    self.found.extend(self.start.take().map(|start| (start, at)));
                }
            }
            _ => {}
        }
    }

    /// The depth around a statement.
    fn outside(&self) -> usize {
        if self.is_list { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found_alone_and_in_lists() {
        let spans = |text: &str| -> Vec<[usize; 4]> {
            statement_spans(text).iter().map(|(a, b)| [a.line, a.column, b.line, b.column]).collect()
        };
        let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Condition":{"Bool":{}}}}"#;
        assert_eq!(spans(one), [[1, 37, 1, 78]]);
        let two = "{\n \"Id\": \"a } \\\" {\",\n \"Statement\": [\n  {\"Sid\": \"{\", \"Condition\": {}},\n  {}\n ]\n}";
        assert_eq!(spans(two), [[4, 3, 4, 31], [5, 3, 5, 4]]);
        assert_eq!(spans("{\"Statement\":[]}"), Vec::<[usize; 4]>::new());
    }
}
