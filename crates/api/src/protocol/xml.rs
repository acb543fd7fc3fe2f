//! XML answers: a writer that cannot forget an end tag or an escape.

use quick_xml::escape::escape;
use std::fmt::Display;

/// A run of XML elements. Characters that XML 1.0 forbids are left out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Xml(String);

impl Xml {
    pub fn new() -> Self {
        Self::default()
    }

    /// `<name>value</name>`
    pub fn text(&mut self, name: &str, value: impl Display) -> &mut Self {
        let value: String = value.to_string().chars().filter(|c| is_xml(*c)).collect();
        self.open(name);
        // Readers take a bare carriage return for a line feed: XML 1.0, 2.11.
        self.0.push_str(&escape(value.as_str()).replace('\r', "&#13;"));
        self.close(name)
    }

    /// As [`Xml::text`], nothing for `None`.
    pub fn optional(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// `<name>…</name>`, and `<name/>` if nothing was written inside.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.0.len();
        self.open(name);
        let filled = self.0.len();
        inside(self);
        if self.0.len() == filled {
            self.0.truncate(start);
            self.0.push('<');
            self.0.push_str(name);
            self.0.push_str("/>");
            return self;
        }
        self.close(name)
    }

    /// A list: `<name><item>…</item>…</name>`, an empty element for no items.
    /// `item` is `item` in EC2 and `member` in IAM and STS.
    pub fn list<T>(
        &mut self,
        name: &str,
        item: &str,
        items: impl IntoIterator<Item = T>,
        mut inside: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |list| {
            for value in items {
                list.element(item, |element| inside(element, value));
            }
        })
    }

    /// EC2's list of structures.
    pub fn set<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        inside: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.list(name, "item", items, inside)
    }

    /// Elements made elsewhere.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A whole document with a root element in a namespace.
    pub fn document(root: &str, namespace: Option<&str>, inside: &Self) -> String {
        let attribute = namespace.map(|uri| format!(" xmlns=\"{uri}\"")).unwrap_or_default();
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}{attribute}>{}</{root}>", inside.0)
    }

    fn open(&mut self, name: &str) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        self
    }

    fn close(&mut self, name: &str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }
}

/// Whether XML 1.0 can hold the character.
pub fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_escape_and_shrink_when_empty() {
        let mut xml = Xml::new();
        xml.text("a", "x < y & \u{1}z\r\n").optional("b", None::<&str>).set("s", [1, 2], |x, n| {
            x.text("n", n);
        });
        xml.set("none", Vec::<u8>::new(), |_, _| {});
        assert_eq!(
            xml.as_str(),
            "<a>x &lt; y &amp; z&#13;\n</a><s><item><n>1</n></item><item><n>2</n></item></s><none/>"
        );
    }
}
