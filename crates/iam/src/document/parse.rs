//! From text to [`PolicyDocument`], refusing at the first thing that is wrong, in
//! the order in which IAM looks:
//!
//! ```text
//! JSON ─▶ structure of all statements ─▶ version ─▶ legacy parsing ─▶ Sids
//!      ─▶ principals ─▶ resources ─▶ actions ─▶ what is missing
//! ```

use super::fields::Fields;
use super::json::Json;
use super::{
    ActionElement, DocumentKind, Effect, PolicyDocument, PolicyError, PrincipalElement, PrincipalEntry,
    ResourceElement, Statement, Version, resource,
};
use crate::condition::Condition;
use crate::pattern::ActionPattern;

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

/// A statement of the right structure, its texts not looked at yet. The flag
/// beside an element is whether it is the `Not…` one.
struct Raw {
    place: String,
    sid: Option<String>,
    effect: String,
    principal: Option<(Json, bool)>,
    action: Option<(Vec<String>, bool)>,
    resource: Option<(Vec<String>, bool)>,
    /// Operator, key, values.
    conditions: Vec<(String, String, Vec<String>)>,
}

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
    let raws: Vec<Raw> = list
        .into_iter()
        .enumerate()
        .map(|(index, json)| raw(json, format!("statement {}", index + 1)))
        .collect::<Result<_, _>>()?;
    if kind == DocumentKind::Managed && version != Version::V2012 {
        return Err(PolicyError::OldVersion);
    }
    let mut effects = Vec::with_capacity(raws.len());
    let mut conditions = Vec::with_capacity(raws.len());
    for raw in &raws {
        effects.push(legacy_effect(raw)?);
        resource::check_legacy(raw.resource.iter().flat_map(|(texts, _)| texts))?;
        conditions.push(legacy_conditions(raw, version)?);
    }
    check_sids(&raws, kind)?;
    let principals =
        raws.iter().map(|raw| principal(raw, kind)).collect::<Result<Vec<Option<PrincipalElement>>, _>>()?;
    let resources = raws.iter().map(|raw| resources(raw, kind, version)).collect::<Result<Vec<_>, _>>()?;
    let actions = raws.iter().map(|raw| actions(raw, kind)).collect::<Result<Vec<_>, _>>()?;
    let mut statements = Vec::with_capacity(raws.len());
    let parts = raws.into_iter().zip(effects).zip(principals).zip(resources).zip(actions).zip(conditions);
    for (((((raw, effect), principal), resource), action), conditions) in parts {
        let action = action.ok_or(PolicyError::NoActions)?;
        statements.push(Statement { sid: raw.sid, effect, principal, action, resource, conditions });
    }
    if kind != DocumentKind::Trust && statements.iter().any(|statement| statement.resource.is_none()) {
        return Err(PolicyError::NoResources);
    }
    Ok(PolicyDocument { version, id, statements })
}

fn raw(json: Json, place: String) -> Result<Raw, PolicyError> {
    let mut fields = Fields::of(json, &place)?;
    let sid = fields.text("Sid")?;
    let effect = match fields.text("Effect")? {
        Some(text) if ["allow", "deny"].iter().any(|known| text.eq_ignore_ascii_case(known)) => text,
        Some(other) => {
            return Err(syntax(format!("Effect '{other}' in {place} is neither Allow nor Deny.")));
        }
        None => return Err(syntax(format!("{place} has no Effect."))),
    };
    let principal = fields.either("Principal", "NotPrincipal")?;
    let mut element = |name, not_name| match fields.either(name, not_name)? {
        None => Ok(None),
        Some((json, not)) => Ok(Some((texts(json, name, &place)?, not))),
    };
    let action = element("Action", "NotAction")?;
    let resource = element("Resource", "NotResource")?;
    let conditions = match fields.take("Condition") {
        None => Vec::new(),
        Some(json) => raw_conditions(json, &place)?,
    };
    fields.finish()?;
    Ok(Raw { sid, effect, principal, action, resource, conditions, place })
}

fn raw_conditions(json: Json, place: &str) -> Result<Vec<(String, String, Vec<String>)>, PolicyError> {
    let place = format!("Condition of {place}");
    let mut conditions = Vec::new();
    for (operator, keys) in Fields::of(json, &place)?.into_entries() {
        for (key, values) in Fields::of(keys, &format!("{operator} of {place}"))?.into_entries() {
            if !Condition::is_operator(&operator) {
                return Err(syntax(format!("Invalid Condition type : {operator} in {place}.")));
            }
            let values = scalars(values, &key, &place)?;
            conditions.push((operator.clone(), key, values));
        }
    }
    Ok(conditions)
}

fn legacy_effect(raw: &Raw) -> Result<Effect, PolicyError> {
    match raw.effect.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => {
            Err(PolicyError::Legacy(format!("Effect '{other}' in {} must be Allow or Deny.", raw.place)))
        }
    }
}

/// Values of the wrong type: a date is for the legacy parser to refuse.
fn legacy_conditions(raw: &Raw, version: Version) -> Result<Vec<Condition>, PolicyError> {
    let parse = |(operator, key, values): &(String, String, Vec<String>)| {
        Condition::parse(operator, key, values, version == Version::V2012).map_err(|why| {
            let why = format!("{why} in Condition of {}.", raw.place);
            if operator.contains("Date") { PolicyError::Legacy(why) } else { syntax(why) }
        })
    };
    raw.conditions.iter().map(parse).collect()
}

/// Other services allow blanks and more in their Sids.
fn check_sids(raws: &[Raw], kind: DocumentKind) -> Result<(), PolicyError> {
    for (index, raw) in raws.iter().enumerate() {
        let Some(sid) = raw.sid.as_deref().filter(|sid| !sid.is_empty()) else { continue };
        if raws.iter().take(index).any(|earlier| earlier.sid.as_deref() == Some(sid)) {
            return Err(PolicyError::SidTwice(sid.to_owned()));
        }
        if kind != DocumentKind::Resource && !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(PolicyError::Sid(sid.to_owned()));
        }
    }
    Ok(())
}

fn principal(raw: &Raw, kind: DocumentKind) -> Result<Option<PrincipalElement>, PolicyError> {
    let (json, not) = match (&raw.principal, kind) {
        (None, DocumentKind::Identity | DocumentKind::Managed) => return Ok(None),
        (Some(_), DocumentKind::Identity | DocumentKind::Managed) => {
            return Err(PolicyError::PrincipalInIdentityPolicy);
        }
        (None, _) => return Err(PolicyError::NoPrincipal),
        (Some((json, not)), _) => (json, *not),
    };
    let mut entries = Vec::new();
    match json {
        Json::Text(text) if text == "*" => entries.push(PrincipalEntry::Any),
        Json::Text(value) => {
            return Err(PolicyError::InvalidPrincipal { kind: "AWS".to_owned(), value: value.clone() });
        }
        json => {
            let place = format!("Principal of {}", raw.place);
            for (kind, values) in Fields::of(json.clone(), &place)?.into_entries() {
                for value in texts(values, &kind, &raw.place)? {
                    entries.push(PrincipalEntry::parse(&kind, value)?);
                }
            }
        }
    }
    if entries.is_empty() {
        return Err(syntax(format!("Principal of {} is empty.", raw.place)));
    }
    Ok(Some(PrincipalElement { not, entries }))
}

/// None if there is no such element, or it names nothing.
fn resources(
    raw: &Raw,
    kind: DocumentKind,
    version: Version,
) -> Result<Option<ResourceElement>, PolicyError> {
    let (texts, not) = match &raw.resource {
        Some(_) if kind == DocumentKind::Trust => return Err(PolicyError::ResourceInTrustPolicy),
        Some((texts, not)) if !texts.is_empty() => (texts, *not),
        _ => return Ok(None),
    };
    let patterns = texts
        .iter()
        .map(|text| resource::parse(text, version == Version::V2012))
        .collect::<Result<_, _>>()?;
    Ok(Some(ResourceElement { not, patterns }))
}

/// None if there is no such element, or it names nothing.
fn actions(raw: &Raw, kind: DocumentKind) -> Result<Option<ActionElement>, PolicyError> {
    let Some((texts, not)) = raw.action.as_ref().filter(|(texts, _)| !texts.is_empty()) else {
        return Ok(None);
    };
    let patterns = texts.iter().map(|text| action(text, kind, &raw.place)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(ActionElement { not: *not, patterns }))
}

fn action(text: &str, kind: DocumentKind, place: &str) -> Result<ActionPattern, PolicyError> {
    if kind == DocumentKind::Trust && !text.to_ascii_lowercase().starts_with("sts:") {
        return Err(PolicyError::NotAnStsAction(text.to_owned()));
    }
    let vendor = text.split(':').next().unwrap_or_default();
    match text.matches(':').count() {
        0 if text != "*" => return Err(PolicyError::NoVendor(text.to_owned())),
        0 | 1 => {}
        _ => return Err(PolicyError::Colons(text.to_owned())),
    }
    if vendor.is_empty() {
        return Err(PolicyError::NoVendor(text.to_owned()));
    }
    if !vendor.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.*?".contains(&b)) {
        return Err(PolicyError::Vendor(vendor.to_owned()));
    }
    let pattern = ActionPattern::parse(text)
        .ok_or_else(|| syntax(format!("Action '{text}' in {place} names no action.")))?;
    if kind == DocumentKind::Trust && !TRUST_ACTIONS.iter().any(|action| pattern.matches(action)) {
        return Err(PolicyError::NotATrustAction(text.to_owned()));
    }
    Ok(pattern)
}

fn syntax(what: String) -> PolicyError {
    PolicyError::Syntax(what)
}

/// A text or a list of texts; IAM passes over a null in a list.
fn texts(json: Json, name: &str, place: &str) -> Result<Vec<String>, PolicyError> {
    let list = match json {
        Json::List(list) => list.into_iter().filter(|item| *item != Json::Null).collect(),
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
