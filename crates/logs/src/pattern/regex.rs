//! Regular expressions between percent signs: AWS's alphabet and classes,
//! rewritten for the `regex` crate, which is linear in time and so safe for
//! patterns of strangers.
//!
//! ```text
//! \d [0-9]    \w [0-9A-Za-z_]    \s tab, space, newline    \D \W \S the others
//! \xHH a character by its number        {,n} the same as {0,n}
//! ```
//!
//! There are no groups, look-arounds or references. Inside brackets, `[`, `&`
//! and `--` are plain characters (other than in the `regex` crate).
//!
//! Source: user guide, "Supported regular expressions (regex) syntax".

use regex::{Regex, RegexBuilder};

/// Of a compiled expression, in bytes; `a{999}{999}` is refused.
const MAX_SIZE: usize = 1 << 20;

pub(super) fn has_allowed_characters(regex: &str) -> bool {
    regex.bytes().all(|b| b.is_ascii_alphanumeric() || b":_#=@/;,- ^$?[]{}|\\*+.".contains(&b))
}

/// The error says what is wrong.
pub(super) fn compile(regex: &str) -> Result<Regex, String> {
    let rewritten = rewrite(regex)?;
    RegexBuilder::new(&rewritten).size_limit(MAX_SIZE).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("the regular expression %{regex}% is too large"),
        _ => format!("%{regex}% is not a regular expression"),
    })
}

fn rewrite(regex: &str) -> Result<String, String> {
    let mut out = String::with_capacity(regex.len() + 16);
    let mut rest = regex;
    let mut in_brackets = false;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => rest = escape(rest, &mut out)?,
            '[' if in_brackets => out.push_str("\\["),
            '[' => {
                in_brackets = true;
                out.push('[');
                if let Some(after) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = after;
                }
                // One that comes first does not close.
                if let Some(after) = rest.strip_prefix(']') {
                    out.push_str("\\]");
                    rest = after;
                }
            }
            ']' if in_brackets => {
                in_brackets = false;
                out.push(']');
            }
            ']' => out.push_str("\\]"),
            '-' if in_brackets && out.ends_with('-') => out.push_str("\\-"),
            '{' if !in_brackets => {
                let (counts, after) = rest.split_once('}').ok_or("a '{' is not closed")?;
                let counts = match counts.strip_prefix(',') {
                    Some(most) => format!("0,{most}"),
                    None => counts.to_owned(),
                };
                if counts.is_empty() || !counts.bytes().all(|b| b.is_ascii_digit() || b == b',') {
                    return Err(format!("expected {{m}}, {{m,}} or {{m,n}}, found {{{counts}}}"));
                }
                out.push_str(&format!("{{{counts}}}"));
                rest = after;
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

/// What follows a backslash; gives the rest.
fn escape<'r>(rest: &'r str, out: &mut String) -> Result<&'r str, String> {
    let c = rest.chars().next().ok_or("a backslash stands at the end")?;
    let after = rest.get(c.len_utf8()..).unwrap_or_default();
    match c {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        's' => out.push_str("[\\t\\n ]"),
        'S' => out.push_str("[^\\t\\n ]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'x' => {
            let digits = after.get(..2).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
            let digits = digits.ok_or("expected two hexadecimal digits after \\x")?;
            out.push_str(&format!("\\x{{{digits}}}"));
            return Ok(after.get(2..).unwrap_or_default());
        }
        c if c.is_ascii_alphanumeric() => return Err(format!("\\{c} is not supported")),
        c => out.push_str(&format!("\\x{{{:x}}}", u32::from(c))),
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet() {
        for (regex, allowed) in [
            ("^a-z_#=@/;, :$?[]{}|\\*+.", true),
            ("(a)", false),
            ("a!", false),
            ("é", false),
            ("a\"", false),
            ("a\tb", false),
        ] {
            assert_eq!(has_allowed_characters(regex), allowed, "{regex}");
        }
    }

    #[test]
    fn matches() {
        for (regex, text, expected) in [
            ("\\d{2}", "a12", true),
            ("^\\d{,2}$", "123", false),
            ("^\\d{,2}$", "", true),
            ("^a{2,}$", "aaa", true),
            ("^\\w+$", "a_1", true),
            ("^\\w$", "é", false),
            ("^.$", "é", true),
            ("^\\W$", "é", true),
            ("^\\s$", "\t", true),
            ("^\\s$", "\r", false),
            ("^[\\S]$", "\r", true),
            ("^[\\d.]+$", "10.0.0.1", true),
            ("^[[]$", "[", true),
            ("^[]a]$", "]", true),
            ("^[^]]$", "a", true),
            ("^[+--]$", ",", true),
            ("^[a-]$", "-", true),
            ("\\x28\\x25", "(%", true),
            ("^[\\x41-\\x43]$", "B", true),
            ("a\\.b", "axb", false),
            ("a\\ b\\/", "a b/", true),
            ("]", "]", true),
            ("^a|b$", "ac", true),
        ] {
            assert_eq!(compile(regex).unwrap().is_match(text), expected, "{regex} {text}");
        }
    }

    #[test]
    fn what_is_no_regular_expression() {
        for regex in
            ["\\", "\\b", "\\1", "\\p", "\\x2", "\\xgg", "[a", "a{", "a{x}", "a{2,1}", "*", "a{999}{999}{99}"]
        {
            assert!(compile(regex).is_err(), "{regex}");
        }
    }
}
