//! The prompt of `weir query`: one statement after the other, with a history
//! and completion of columns, functions, saved queries and SQL's words.
//!
//! A statement ends with `;` and may have several lines. The name of a saved
//! query and the prompt's own words are lines of their own.

use super::errors::TABLE;
use super::line::{Did, Line};
use super::terminal::{self, Raw};
use crate::commands::print_error;
use anyhow::{Context, Result};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use weir_query::saved::{self, SAVED};

const WORDS: &[&str] = &[
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "CASE",
    "CAST(",
    "CROSS JOIN",
    "DATE",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXPLAIN",
    "FALSE",
    "FROM",
    "GROUP BY",
    "HAVING",
    "IN",
    "INTERVAL",
    "IS NOT NULL",
    "IS NULL",
    "JOIN",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "SELECT",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "TRY_CAST(",
    "UNION ALL",
    "WHEN",
    "WHERE",
    "WITH",
];

const HELP: &str = "\
A query ends with ';' and may have several lines; its table is flow_logs.
  list, \\l          the saved queries; the name of one asks it
  columns, \\d       the table's columns and their types
  help, \\?          this
  quit, \\q, Ctrl-D  end
  Ctrl-C            forgets what is typed, or stops the query that runs
  Tab               completes names and words
  Up, Down          what was asked before and begins with what is typed";

/// How many statements the history keeps.
const KEPT: usize = 1000;

/// What may be asked about.
pub struct Known {
    /// Names and types.
    pub columns: Vec<(String, String)>,
    pub functions: Vec<String>,
}

/// Asks until the end; a failure is shown and is not the end.
///
/// # Errors
/// The terminal is of no use.
pub fn run(known: &Known, mut ask: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let words = words(known);
    let file = history_file();
    let mut history = file.as_deref().map(read_history).unwrap_or_default();
    println!("{} columns of {TABLE}; 'help' says more", known.columns.len());
    let mut begun = String::new();
    loop {
        let prompt = if begun.is_empty() { "weir> " } else { "   -> " };
        match read_line(prompt, &history, &words)? {
            None if begun.is_empty() => return Ok(()),
            // As Ctrl-C does.
            None | Some(Typed::Forgotten) => {
                begun.clear();
                continue;
            }
            Some(Typed::Line(line)) => {
                begun.push_str(&line);
                begun.push('\n');
            }
        }
        let Some(asked) = read(&begun) else { continue };
        if asked != Asked::Nothing {
            // One line, as the history has it.
            keep(&begun.split_whitespace().collect::<Vec<_>>().join(" "), &mut history, file.as_deref());
        }
        begun.clear();
        match asked {
            Asked::Sql(sql) => ask(&sql).unwrap_or_else(|error| print_error(&error)),
            Asked::Nothing => {}
            Asked::Help => println!("{HELP}"),
            Asked::List => show_saved(),
            Asked::Columns => {
                let width = known.columns.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
                for (name, kind) in &known.columns {
                    println!("{name:width$}  {kind}");
                }
            }
            Asked::Quit => return Ok(()),
        }
    }
}

/// The saved queries, a line each.
pub fn show_saved() {
    let width = SAVED.iter().map(|saved| saved.name.len()).max().unwrap_or(0);
    for saved in SAVED {
        println!("{:width$}  {}", saved.name, saved.title);
    }
}

/// What a statement or a line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// A statement without its `;`.
    Sql(String),
    Help,
    List,
    Columns,
    Nothing,
    Quit,
}

/// `None` if the statement goes on.
fn read(text: &str) -> Option<Asked> {
    let text = text.trim();
    let is_ended = text.ends_with(';') && text.matches('\'').count().is_multiple_of(2);
    let statement = text.trim_end_matches(';').trim();
    Some(match statement.to_ascii_lowercase().as_str() {
        "" => Asked::Nothing,
        "help" | "?" | "\\?" | "\\h" => Asked::Help,
        "list" | "\\l" => Asked::List,
        "columns" | "\\d" => Asked::Columns,
        "quit" | "exit" | "\\q" => Asked::Quit,
        name => match saved::by_name(name) {
            Some(saved) => Asked::Sql(saved.sql.to_owned()),
            None if is_ended => Asked::Sql(statement.to_owned()),
            None => return None,
        },
    })
}

fn words(known: &Known) -> Vec<String> {
    // A word of SQL is a column in quotes only.
    let column =
        |(name, _): &(String, String)| if name == "end" { "\"end\"".to_owned() } else { name.clone() };
    let own = [TABLE, "help", "list", "columns", "quit"].into_iter();
    let fixed = WORDS.iter().copied().chain(own).chain(SAVED.iter().map(|saved| saved.name));
    let functions = known.functions.iter().map(|name| format!("{name}("));
    let mut words: Vec<String> =
        known.columns.iter().map(column).chain(fixed.map(str::to_owned)).chain(functions).collect();
    words.sort_unstable();
    words.dedup();
    words
}

enum Typed {
    Line(String),
    Forgotten,
}

/// One line; `None` at the end of all input.
fn read_line(prompt: &str, history: &[String], words: &[String]) -> Result<Option<Typed>> {
    let _raw = Raw::new()?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut line = Line::new(history, words);
    loop {
        write!(output, "{}", line.draw(prompt, terminal::columns()))?;
        output.flush()?;
        let key = terminal::key(&mut input).context("the terminal")?;
        let ended = match key.map(|key| line.press(key)) {
            None | Some(Did::End) => None,
            Some(Did::Done) => Some(Typed::Line(line.text())),
            Some(Did::Interrupted) => Some(Typed::Forgotten),
            Some(Did::Changed) => continue,
            Some(Did::ClearScreen) => {
                write!(output, "\x1b[H\x1b[2J")?;
                continue;
            }
            Some(Did::Choices(choices)) => {
                write!(output, "\r\n{}\r\n", choices.join("  "))?;
                continue;
            }
        };
        write!(output, "\r\n")?;
        output.flush()?;
        return Ok(ended);
    }
}

/// Where what was asked is kept: in the user's folder for caches.
fn history_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let folder =
        folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("weir");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("query-history"))
}

/// The newest [`KEPT`] statements; there are none the first time.
fn read_history(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let newest: Vec<String> = lines.iter().rev().take(KEPT).rev().map(|line| (*line).to_owned()).collect();
    if lines.len() > 2 * KEPT {
        // A history that stays long does no harm.
        fs::write(path, newest.join("\n") + "\n").ok();
    }
    newest
}

fn keep(text: &str, history: &mut Vec<String>, file: Option<&Path>) {
    if history.last().is_some_and(|last| last == text) {
        return;
    }
    history.push(text.to_owned());
    let open = |path| fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    // A history that cannot be kept is no reason to stop.
    if let Some(mut file) = file.and_then(|path| open(path).ok()) {
        writeln!(file, "{text}").ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_asks_for() {
        let sql = |text: &str| Some(Asked::Sql(text.to_owned()));
        for (text, expected) in [
            ("  ", Some(Asked::Nothing)),
            (";", Some(Asked::Nothing)),
            ("help", Some(Asked::Help)),
            ("LIST;", Some(Asked::List)),
            ("\\d", Some(Asked::Columns)),
            ("\\q", Some(Asked::Quit)),
            ("SELECT 1 ;\n", sql("SELECT 1")),
            ("SELECT\n1;\n", sql("SELECT\n1")),
            ("SELECT", None),
            ("SELECT 1", None),
            ("SELECT ';", None),
            ("SELECT ';';", sql("SELECT ';'")),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert!(matches!(read("top-talkers"), Some(Asked::Sql(sql)) if sql.contains("flow_logs")));
    }

    #[test]
    fn the_history_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        assert!(read_history(&path).is_empty());
        let mut history = Vec::new();
        for count in 0..2500 {
            keep(&format!("SELECT {};", count / 2), &mut history, Some(&path));
        }
        assert_eq!(history.len(), 1250);
        let again = read_history(&path);
        assert_eq!((again.len(), again.last().unwrap().as_str()), (KEPT, "SELECT 1249;"));
        let all: String = (0..3000).map(|count| format!("{count}\n")).collect();
        fs::write(&path, all).unwrap();
        assert_eq!(read_history(&path).first().unwrap(), "2000");
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), KEPT);
    }

    #[test]
    fn words_have_what_may_be_typed() {
        let known = Known {
            columns: vec![("end".to_owned(), "bigint".to_owned()), ("srcaddr".to_owned(), String::new())],
            functions: vec!["sum".to_owned()],
        };
        let words = words(&known);
        for word in ["\"end\"", "srcaddr", "sum(", "SELECT", "flow_logs", "top-talkers", "help"] {
            assert!(words.iter().any(|known| known == word), "{word}");
        }
    }
}
