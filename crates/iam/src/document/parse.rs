//! From text to [`PolicyDocument`], refusing at the first thing that is wrong.

use super::json::Json;
use super::{
    ActionElement, DocumentKind, Effect, PolicyDocument, PolicyError, PrincipalElement, PrincipalEntry,
    ResourceElement, Statement, Version,
};
use crate::condition::Condition;
use crate::pattern::{ActionPattern, ResourcePattern};

/// What trust policies can allow or deny. Source: IAM user guide, "Actions,
/// resources, and condition keys for AWS STS".
const TRUST_ACTIONS: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

pub(super) fn document(text: &str, kind: DocumentKind) -> Result<PolicyDocument, PolicyError> {
    let json = serde_json::from_str(text).map_err(|_| PolicyError::InvalidJson)?;
    let mut fields = Fields::of(json, "the policy")?;
    let version = match fields.text("Version")?.as_deref() {
        None | Some("2008-10-17") => Version::V2008,
        Some("2012-10-17") => Version::V2012,
        Some(other) => {
            return Err(syntax(format!("Version '{other}' is neither 2012-10-17 nor 2008-10-17.")));
        }
    };
    let id = fields.text("Id")?;
    let list = match fields.take("Statement") {
        None => return Err(syntax("The policy has no Statement.".to_owned())),
        Some(Json::List(list)) => list,
        Some(one) => vec![one],
    };
    fields.finish()?;
    if list.is_empty() {
        return Err(syntax("Statement is empty.".to_owned()));
    }
    let mut statements: Vec<Statement> = Vec::with_capacity(list.len());
    for (index, json) in list.into_iter().enumerate() {
        let statement = statement(json, &format!("statement {}", index + 1), kind, version)?;
        if let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty())
            && statements.iter().any(|earlier| earlier.sid.as_deref() == Some(sid))
        {
            return Err(PolicyError::SidTwice(sid.to_owned()));
        }
        statements.push(statement);
    }
    Ok(PolicyDocument { version, id, statements })
}

fn statement(
    json: Json,
    place: &str,
    kind: DocumentKind,
    version: Version,
) -> Result<Statement, PolicyError> {
    let mut fields = Fields::of(json, place)?;
    let sid = fields.text("Sid")?;
    // Other services allow blanks and more in their Sids.
    if let Some(sid) = &sid
        && kind != DocumentKind::Resource
        && !sid.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return Err(PolicyError::Sid(sid.clone()));
    }
    let effect = match fields.text("Effect")?.as_deref() {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        Some(other) => {
            return Err(syntax(format!("Effect '{other}' in {place} is neither Allow nor Deny.")));
        }
        None => return Err(syntax(format!("{place} has no Effect."))),
    };
    let principal = principal(&mut fields, kind)?;
    let action = action(&mut fields, kind)?;
    let resource = resource(&mut fields, kind, version)?;
    let conditions = conditions(&mut fields, version)?;
    fields.finish()?;
    Ok(Statement { sid, effect, principal, action, resource, conditions })
}

fn principal(fields: &mut Fields, kind: DocumentKind) -> Result<Option<PrincipalElement>, PolicyError> {
    let element = fields.either("Principal", "NotPrincipal")?;
    let (json, not) = match (element, kind) {
        (None, DocumentKind::Identity) => return Ok(None),
        (Some(_), DocumentKind::Identity) => return Err(PolicyError::PrincipalInIdentityPolicy),
        (None, _) => return Err(PolicyError::NoPrincipal),
        (Some(element), _) => element,
    };
    let mut entries = Vec::new();
    match json {
        Json::Text(text) if text == "*" => entries.push(PrincipalEntry::Any),
        Json::Text(value) => {
            return Err(PolicyError::InvalidPrincipal { kind: "AWS".to_owned(), value });
        }
        json => {
            for (kind, values) in Fields::of(json, &format!("Principal of {}", fields.place))?.entries {
                for value in texts(values, &kind, fields.place)? {
                    entries.push(PrincipalEntry::parse(&kind, value)?);
                }
            }
        }
    }
    if entries.is_empty() {
        return Err(syntax(format!("Principal of {} is empty.", fields.place)));
    }
    Ok(Some(PrincipalElement { not, entries }))
}

fn action(fields: &mut Fields, kind: DocumentKind) -> Result<ActionElement, PolicyError> {
    let (json, not) = fields.either("Action", "NotAction")?.ok_or(PolicyError::NoActions)?;
    let mut patterns = Vec::new();
    for text in texts(json, "Action", fields.place)? {
        if kind == DocumentKind::Trust && !text.to_ascii_lowercase().starts_with("sts:") {
            return Err(PolicyError::NotAnStsAction(text));
        }
        match ActionPattern::parse(&text) {
            Some(pattern)
                if kind == DocumentKind::Trust && !TRUST_ACTIONS.iter().any(|a| pattern.matches(a)) =>
            {
                return Err(PolicyError::NotAnStsAction(text));
            }
            Some(pattern) => patterns.push(pattern),
            None => {
                return Err(match text.matches(':').count() {
                    0 => PolicyError::NoVendor(text),
                    1 if text.starts_with(':') => PolicyError::NoVendor(text),
                    1 => syntax(format!("Action '{text}' in {} names no action.", fields.place)),
                    _ => PolicyError::Colons(text),
                });
            }
        }
    }
    if patterns.is_empty() {
        return Err(PolicyError::NoActions);
    }
    Ok(ActionElement { not, patterns })
}

fn resource(
    fields: &mut Fields,
    kind: DocumentKind,
    version: Version,
) -> Result<Option<ResourceElement>, PolicyError> {
    let (json, not) = match (fields.either("Resource", "NotResource")?, kind) {
        (None, DocumentKind::Trust) => return Ok(None),
        (Some(_), DocumentKind::Trust) => return Err(PolicyError::ResourceInTrustPolicy),
        (None, _) => return Err(PolicyError::NoResources),
        (Some(element), _) => element,
    };
    let mut patterns = Vec::new();
    for text in texts(json, "Resource", fields.place)? {
        match ResourcePattern::parse(&text, version == Version::V2012) {
            Some(pattern) => patterns.push(pattern),
            None => return Err(PolicyError::NoArn(text)),
        }
    }
    if patterns.is_empty() {
        return Err(PolicyError::NoResources);
    }
    Ok(Some(ResourceElement { not, patterns }))
}

fn conditions(fields: &mut Fields, version: Version) -> Result<Vec<Condition>, PolicyError> {
    let Some(json) = fields.take("Condition") else { return Ok(Vec::new()) };
    let place = format!("Condition of {}", fields.place);
    let mut conditions = Vec::new();
    for (operator, keys) in Fields::of(json, &place)?.entries {
        for (key, values) in Fields::of(keys, &format!("{operator} of {place}"))?.entries {
            if !key.contains(':') {
                return Err(PolicyError::NoVendor(key));
            }
            let values = scalars(values, &key, &place)?;
            let condition = Condition::parse(&operator, &key, &values, version == Version::V2012)
                .map_err(|why| syntax(format!("{why} in {place}.")))?;
            conditions.push(condition);
        }
    }
    Ok(conditions)
}

fn syntax(what: String) -> PolicyError {
    PolicyError::Syntax(what)
}

/// A text or a list of texts.
fn texts(json: Json, name: &str, place: &str) -> Result<Vec<String>, PolicyError> {
    let list = match json {
        Json::List(list) => list,
        one => vec![one],
    };
    list.into_iter()
        .map(|json| match json {
            Json::Text(text) => Ok(text),
            _ => Err(syntax(format!("{name} of {place} must be a string or a list of strings."))),
        })
        .collect()
}

/// A condition's values: texts, numbers and booleans, all as text.
fn scalars(json: Json, key: &str, place: &str) -> Result<Vec<String>, PolicyError> {
    let list = match json {
        Json::List(list) => list,
        one => vec![one],
    };
    list.into_iter()
        .map(|json| match json {
            Json::Text(text) | Json::Number(text) => Ok(text),
            Json::Bool(value) => Ok(value.to_string()),
            _ => Err(syntax(format!("The values of {key} in {place} must be strings, numbers or booleans."))),
        })
        .collect()
}

/// The entries of an object; what is left at the end is unknown.
struct Fields<'a> {
    entries: Vec<(String, Json)>,
    place: &'a str,
}

impl<'a> Fields<'a> {
    fn of(json: Json, place: &'a str) -> Result<Self, PolicyError> {
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

    fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.entries.iter().position(|(n, _)| n == name)?;
        Some(self.entries.swap_remove(index).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, PolicyError> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(syntax(format!("{name} of {} is not a string.", self.place))),
        }
    }

    /// One of two elements that exclude each other, and whether it is the second.
    fn either(&mut self, name: &str, not_name: &str) -> Result<Option<(Json, bool)>, PolicyError> {
        match (self.take(name), self.take(not_name)) {
            (None, None) => Ok(None),
            (Some(json), None) => Ok(Some((json, false))),
            (None, Some(json)) => Ok(Some((json, true))),
            (Some(_), Some(_)) => Err(syntax(format!("{} has both {name} and {not_name}.", self.place))),
        }
    }

    fn finish(self) -> Result<(), PolicyError> {
        match self.entries.first() {
            None => Ok(()),
            Some((name, _)) => Err(syntax(format!("{} has the unknown element '{name}'.", self.place))),
        }
    }
}
