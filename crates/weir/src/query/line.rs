//! A line while it is typed: its text, where the cursor is, what was asked
//! before, completion. Keys come in, what is to be shown goes out.
//!
//! Not: the terminal (`terminal.rs`), and what a line means (`prompt.rs`).

use unicode_width::UnicodeWidthChar;

/// A key, or what keys together mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    CutToStart,
    CutToEnd,
    CutWord,
    ClearScreen,
    /// Ctrl-C
    Interrupt,
    /// Ctrl-D: the end, if nothing is typed.
    EndOfInput,
    /// A sequence that means nothing here.
    Other,
}

/// What a key has done.
#[derive(Debug, PartialEq, Eq)]
pub enum Did {
    /// The line may look different.
    Changed,
    /// There are several ways to go on, to be shown.
    Choices(Vec<String>),
    ClearScreen,
    Done,
    Interrupted,
    End,
}

/// See the module.
pub struct Line<'a> {
    /// Oldest first.
    history: &'a [String],
    /// Sorted.
    words: &'a [String],
    text: Vec<char>,
    /// Where the cursor is, in characters.
    at: usize,
    /// What of the history is shown; its length: none.
    shown: usize,
    /// What was typed before the history was asked.
    typed: Vec<char>,
}

impl<'a> Line<'a> {
    pub fn new(history: &'a [String], words: &'a [String]) -> Self {
        let shown = history.len();
        Self { history, words, text: Vec::new(), at: 0, shown, typed: Vec::new() }
    }

    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    pub fn press(&mut self, key: Key) -> Did {
        match key {
            Key::Char(letter) => {
                self.text.insert(self.at, letter);
                self.at += 1;
            }
            Key::Enter => return Did::Done,
            Key::Interrupt => return Did::Interrupted,
            Key::EndOfInput if self.text.is_empty() => return Did::End,
            Key::ClearScreen => return Did::ClearScreen,
            Key::Tab => return self.complete(),
            Key::Backspace => self.cut(self.at.saturating_sub(1), self.at),
            Key::Delete | Key::EndOfInput => self.cut(self.at, self.text.len().min(self.at + 1)),
            Key::CutToStart => self.cut(0, self.at),
            Key::CutToEnd => self.cut(self.at, self.text.len()),
            Key::CutWord => self.cut(self.word_left(), self.at),
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = self.text.len().min(self.at + 1),
            Key::WordLeft => self.at = self.word_left(),
            Key::WordRight => self.at = self.word_right(),
            Key::Home => self.at = 0,
            Key::End => self.at = self.text.len(),
            Key::Up => self.older(),
            Key::Down => self.newer(),
            Key::Other => {}
        }
        Did::Changed
    }

    fn cut(&mut self, from: usize, to: usize) {
        self.text.drain(from..to);
        self.at = from;
    }

    fn word_left(&self) -> usize {
        let before = self.text.iter().take(self.at).rev();
        let blanks = before.clone().take_while(|letter| !is_part(**letter)).count();
        self.at - blanks - before.skip(blanks).take_while(|letter| is_part(**letter)).count()
    }

    fn word_right(&self) -> usize {
        let after = self.text.iter().skip(self.at);
        let blanks = after.clone().take_while(|letter| !is_part(**letter)).count();
        self.at + blanks + after.skip(blanks).take_while(|letter| is_part(**letter)).count()
    }

    /// The nearest older statement that begins with what was typed.
    fn older(&mut self) {
        if self.shown == self.history.len() {
            self.typed = self.text.clone();
        }
        let begun: String = self.typed.iter().collect();
        let older = self.history.iter().take(self.shown).rposition(|text| text.starts_with(&begun));
        if let Some(older) = older {
            self.show(older);
        }
    }

    fn newer(&mut self) {
        let begun: String = self.typed.iter().collect();
        let newer = self.history.iter().skip(self.shown + 1).position(|text| text.starts_with(&begun));
        if self.shown < self.history.len() {
            self.show(newer.map_or(self.history.len(), |newer| self.shown + 1 + newer));
        }
    }

    fn show(&mut self, shown: usize) {
        self.shown = shown;
        self.text = self.history.get(shown).map_or_else(|| self.typed.clone(), |text| text.chars().collect());
        self.at = self.text.len();
    }

    /// Goes on with the word before the cursor as far as all that fits agrees.
    fn complete(&mut self) -> Did {
        let before = self.text.iter().take(self.at).rev();
        let start = self.at - before.take_while(|letter| is_part(**letter) || **letter == '-').count();
        let begun: String = self.text.iter().take(self.at).skip(start).collect::<String>().to_lowercase();
        if begun.is_empty() {
            return Did::Changed;
        }
        let fits = |word: &&String| word.trim_matches('"').to_lowercase().starts_with(&begun);
        let found: Vec<&String> = self.words.iter().filter(fits).collect();
        let Some((first, others)) = found.split_first() else { return Did::Changed };
        let mut common: Vec<char> = first.chars().collect();
        for other in others {
            let same = common.iter().zip(other.chars()).take_while(|(a, b)| a.eq_ignore_ascii_case(b));
            common.truncate(same.count());
        }
        if others.is_empty() || common.len() > self.at - start {
            self.text.splice(start..self.at, common.iter().copied());
            self.at = start + common.len();
            return Did::Changed;
        }
        Did::Choices(found.into_iter().cloned().collect())
    }

    /// What is to be written to show the line in one row of so many columns.
    pub fn draw(&self, prompt: &str, columns: usize) -> String {
        let room = columns.saturating_sub(prompt.len() + 1).max(8);
        // As much before the cursor as there is room for.
        let (mut from, mut used) = (self.at, 0);
        for letter in self.text.iter().take(self.at).rev() {
            used += width(*letter);
            if used > room {
                break;
            }
            from -= 1;
        }
        let before: usize = self.text.iter().take(self.at).skip(from).map(|letter| width(*letter)).sum();
        let mut all = 0;
        let shown = self.text.iter().skip(from).take_while(|letter| {
            all += width(**letter);
            all <= room
        });
        let shown: String = shown.collect();
        format!("\r{prompt}{shown}\x1b[K\r\x1b[{}C", prompt.len() + before)
    }
}

/// Of a name.
fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn width(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(all: &[&str]) -> Vec<String> {
        all.iter().map(|word| (*word).to_owned()).collect()
    }

    /// The text, with `|` where the cursor is.
    fn typed(history: &[String], known: &[String], keys: &[Key]) -> String {
        let mut line = Line::new(history, known);
        for key in keys {
            line.press(*key);
        }
        line.text.insert(line.at, '|');
        line.text()
    }

    #[test]
    fn keys_change_the_line() {
        use Key::*;
        let text = |text: &str| text.chars().map(Char).collect::<Vec<_>>();
        for (before, keys, expected) in [
            ("", vec![], "|"),
            ("", vec![Backspace, Delete, Left, Right, CutWord, WordLeft, WordRight, Up, Down, Other], "|"),
            ("abc", vec![Left, Left, Char('ü')], "aü|bc"),
            ("abc", vec![Home, Delete, End, Backspace], "b|"),
            ("abc", vec![Home, EndOfInput], "|bc"),
            ("sum(bytes) x", vec![WordLeft, WordLeft], "sum(|bytes) x"),
            ("sum(bytes) x", vec![Home, WordRight, WordRight], "sum(bytes|) x"),
            ("sum(bytes)", vec![CutWord], "sum(|"),
            ("abc def", vec![WordLeft, CutToStart], "|def"),
            ("abc def", vec![WordLeft, CutToEnd], "abc |"),
        ] {
            assert_eq!(typed(&[], &[], &[text(before), keys].concat()), expected, "{before}");
        }
    }

    #[test]
    fn history_is_searched_for_what_was_typed() {
        use Key::*;
        let history = words(&["SELECT 1;", "help", "SELECT 2;"]);
        for (keys, expected) in [
            (vec![Up], "SELECT 2;|"),
            (vec![Up, Up], "help|"),
            (vec![Up, Up, Up, Up], "SELECT 1;|"),
            (vec![Up, Up, Down], "SELECT 2;|"),
            (vec![Up, Down, Down], "|"),
            (vec![Char('S'), Up, Up], "SELECT 1;|"),
            (vec![Char('S'), Up, Up, Down], "SELECT 2;|"),
            (vec![Char('S'), Up, Down], "S|"),
            (vec![Char('x'), Up], "x|"),
        ] {
            assert_eq!(typed(&history, &[], &keys), expected, "{keys:?}");
        }
    }

    #[test]
    fn words_are_completed() {
        let known = words(&["SELECT", "\"end\"", "srcaddr", "srcport", "sum(", "top-talkers"]);
        for (text, expected) in [
            ("SELECT src", "SELECT src|"),
            ("SELECT srca", "SELECT srcaddr|"),
            ("sel", "SELECT|"),
            ("top-", "top-talkers|"),
            ("SELECT ", "SELECT |"),
            ("max(en", "max(\"end\"|"),
            ("s", "s|"),
            ("sr", "src|"),
            ("nosuch", "nosuch|"),
        ] {
            let keys: Vec<Key> = text.chars().map(Key::Char).chain([Key::Tab]).collect();
            assert_eq!(typed(&[], &known, &keys), expected, "{text}");
        }
        let mut line = Line::new(&[], &known);
        line.press(Key::Char('s'));
        line.press(Key::Char('r'));
        line.press(Key::Char('c'));
        assert_eq!(line.press(Key::Tab), Did::Choices(words(&["srcaddr", "srcport"])));
    }

    #[test]
    fn a_long_line_is_shown_around_the_cursor() {
        let mut line = Line::new(&[], &[]);
        for letter in "0123456789abcdef".chars() {
            line.press(Key::Char(letter));
        }
        assert_eq!(line.draw("> ", 13), "\r> 6789abcdef\x1b[K\r\x1b[12C");
        line.press(Key::Home);
        assert_eq!(line.draw("> ", 13), "\r> 0123456789\x1b[K\r\x1b[2C");
        assert_eq!(line.draw("> ", 80), "\r> 0123456789abcdef\x1b[K\r\x1b[2C");
    }
}
