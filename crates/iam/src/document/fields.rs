//! The elements of a JSON object, taken one by one; what is left is unknown.

use super::PolicyError;
use super::json::Json;

/// The entries of an object; what is left at the end is unknown.
pub(super) struct Fields<'a> {
    entries: Vec<(String, Json)>,
    place: &'a str,
}

impl<'a> Fields<'a> {
    pub(super) fn of(json: Json, place: &'a str) -> Result<Self, PolicyError> {
        let Json::Object(entries) = json else {
            return Err(syntax(format!("{place} is not an object.")));
        };
        for (index, (name, _)) in entries.iter().enumerate() {
            if entries.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(syntax(format!("{place} has '{name}' twice.")));
            }
        }
        Ok(Self { entries, place })
    }

    pub(super) fn into_entries(self) -> Vec<(String, Json)> {
        self.entries
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.entries.iter().position(|(n, _)| n == name)?;
        Some(self.entries.swap_remove(index).1)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, PolicyError> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(syntax(format!("{name} of {} is not a string.", self.place))),
        }
    }

    /// One of two elements that exclude each other, and whether it is the second.
    pub(super) fn either(&mut self, name: &str, not_name: &str) -> Result<Option<(Json, bool)>, PolicyError> {
        match (self.take(name), self.take(not_name)) {
            (None, None) => Ok(None),
            (Some(json), None) => Ok(Some((json, false))),
            (None, Some(json)) => Ok(Some((json, true))),
            (Some(_), Some(_)) => Err(syntax(format!("{} has both {name} and {not_name}.", self.place))),
        }
    }

    pub(super) fn finish(self) -> Result<(), PolicyError> {
        match self.entries.first() {
            None => Ok(()),
            Some((name, _)) => Err(syntax(format!("{} has the unknown element '{name}'.", self.place))),
        }
    }
}

fn syntax(what: String) -> PolicyError {
    PolicyError::Syntax(what)
}
