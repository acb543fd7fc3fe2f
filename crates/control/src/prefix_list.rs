//! Managed prefix lists: blocks under one name, which rules of security groups
//! refer to. Each change of the entries is a version; earlier ones can be had
//! back.
//!
//! Invariants: a list has no more entries than `max_entries`; a list that rules
//! name cannot go. A rule counts as `max_entries` rules of its group.
//!
//! Source: EC2 API, `CreateManagedPrefixList` and its relatives; VPC user
//! guide, "Managed prefix lists".

use crate::error::{ControlError, Result};
use crate::lookup::IdFaults;
use crate::security_group::{SecurityGroup, SecurityGroupRule, rule};
use crate::state::{Cx, Index, Resource};
use crate::{client_token, random, region, tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use weir_types::id::{PrefixListId, SecurityGroupId};
use weir_types::net::IpNet;

/// Entries of a list, at most. Source: VPC user guide, "Amazon VPC quotas".
const ENTRIES_LIMIT: i64 = 1000;

/// Entries in one request. Source: EC2 API, `CreateManagedPrefixList`.
const PER_REQUEST_LIMIT: usize = 100;

/// A prefix list with the entries of its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixList {
    pub id: PrefixListId,
    pub name: String,
    /// `IPv4`, `IPv6`
    pub family: String,
    pub max_entries: i64,
    /// From 1.
    pub version: i64,
    /// What it went through last: `create`, `modify`, `restore`.
    pub last: String,
    pub entries: Vec<Entry>,
}

impl Resource for PrefixList {
    const KIND: &'static str = "prefix-list";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    const INDEX: Index = Index { id: "prefix-list-id", parent: "", keys: &[] };
}

impl PrefixList {
    /// The blocks of the newest version.
    pub fn blocks(&self) -> Vec<IpNet> {
        self.entries.iter().filter_map(|entry| block(&entry.cidr)).collect()
    }
}

/// A block of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// In canonical form; of an emulator as it was typed.
    pub cidr: String,
    pub description: Option<String>,
}

/// The entries that a version had.
#[derive(Debug, Serialize, Deserialize)]
struct Version {
    /// List and number.
    id: String,
    list: PrefixListId,
    entries: Vec<Entry>,
}

/// The parent of a version is its list.
impl Resource for Version {
    const KIND: &'static str = "prefix-list-version";
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(self.list.as_str())
    }
}

/// What callers get who name a list that is not there.
pub const FAULTS: IdFaults = IdFaults {
    prefix: PrefixListId::PREFIX,
    noun: "prefix list ID",
    malformed: "InvalidPrefixListId.Malformed",
    not_found: "InvalidPrefixListID.NotFound",
};

/// What CreateManagedPrefixList is asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CreatePrefixList {
    pub name: String,
    pub family: String,
    pub max_entries: i64,
    pub entries: Vec<Entry>,
    #[serde(skip)]
    pub client_token: Option<String>,
    /// Takes any family, and addresses for blocks, as emulators do.
    #[serde(skip)]
    pub is_lax: bool,
    pub tags: Vec<(String, String)>,
}

fn invalid(message: impl Into<String>) -> ControlError {
    ControlError::fault("InvalidParameterValue", message)
}

/// Makes a list.
///
/// Errors: `InvalidParameterValue`, `PrefixListMaxEntriesExceeded`, those of
/// [`tags::set`].
pub fn create(cx: Cx<'_>, request: &CreatePrefixList) -> Result<PrefixList> {
    region::ensure(cx)?;
    client_token::once(cx, "CreateManagedPrefixList", request.client_token.as_deref(), request, || {
        check_name(&request.name)?;
        if !request.is_lax && !["IPv4", "IPv6"].contains(&request.family.as_str()) {
            let message = format!("Value ({}) for parameter addressFamily is invalid.", request.family);
            return Err(invalid(message));
        }
        check_max_entries(request.max_entries)?;
        let mut list = PrefixList {
            id: PrefixListId::from_random(random::bits()?),
            name: request.name.clone(),
            family: request.family.clone(),
            max_entries: request.max_entries,
            version: 1,
            last: "create".to_owned(),
            entries: Vec::new(),
        };
        add(&mut list, &request.entries, request.is_lax)?;
        store(cx, &list)?;
        tags::set(cx, list.id.as_str(), &request.tags)?;
        Ok(list)
    })
}

fn check_name(name: &str) -> Result<()> {
    if !(1..=255).contains(&name.chars().count()) || name.starts_with("com.amazonaws") {
        return Err(invalid(format!(
            "Value ({name}) for parameter prefixListName is invalid. Names have 1 to 255 characters and do \
             not start with com.amazonaws."
        )));
    }
    Ok(())
}

fn check_max_entries(max_entries: i64) -> Result<()> {
    match (1..=ENTRIES_LIMIT).contains(&max_entries) {
        true => Ok(()),
        false => Err(invalid(format!("Value ({max_entries}) for parameter maxEntries is invalid."))),
    }
}

/// The block that a text means; a bare address is one of full length.
fn block(text: &str) -> Option<IpNet> {
    let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(address).map(|block| block.trunc())
}

fn add(list: &mut PrefixList, entries: &[Entry], is_lax: bool) -> Result<()> {
    if entries.len() > PER_REQUEST_LIMIT {
        return Err(invalid(format!("A request can have at most {PER_REQUEST_LIMIT} entries")));
    }
    for entry in entries {
        let wrong = || invalid(format!("The CIDR block '{}' is invalid.", entry.cidr));
        let found = block(&entry.cidr).ok_or_else(wrong)?;
        let family = if matches!(found, IpNet::V4(_)) { "IPv4" } else { "IPv6" };
        let cidr = if is_lax { entry.cidr.clone() } else { found.to_string() };
        if !is_lax && (family != list.family || !entry.cidr.contains('/')) {
            return Err(wrong());
        }
        if entry.description.as_ref().is_some_and(|text| text.chars().count() > 255) {
            return Err(invalid("The description of an entry can have at most 255 characters"));
        }
        // The description of an entry that is there changes.
        match list.entries.iter_mut().find(|known| known.cidr == cidr) {
            Some(known) => known.description.clone_from(&entry.description),
            None => list.entries.push(Entry { cidr, description: entry.description.clone() }),
        }
    }
    if i64::try_from(list.entries.len()).is_ok_and(|count| count > list.max_entries) {
        let message = format!(
            "You've reached the maximum number of entries ({}) for the prefix list.",
            list.max_entries
        );
        return Err(ControlError::fault("PrefixListMaxEntriesExceeded", message));
    }
    Ok(())
}

fn store(cx: Cx<'_>, list: &PrefixList) -> Result<()> {
    let id = version_id(&list.id, list.version);
    cx.tx.put(cx.scope, &Version { id, list: list.id.clone(), entries: list.entries.clone() })?;
    cx.tx.put(cx.scope, list)
}

fn version_id(list: &PrefixListId, version: i64) -> String {
    format!("{list}/{version}")
}

/// What ModifyManagedPrefixList is asked for.
#[derive(Debug, Clone, Default)]
pub struct ModifyPrefixList {
    pub id: String,
    pub current_version: Option<i64>,
    pub name: Option<String>,
    pub max_entries: Option<i64>,
    pub add: Vec<Entry>,
    pub remove: Vec<String>,
    pub is_lax: bool,
}

/// Changes name, size or entries of a list; other entries are a new version.
///
/// Errors: `InvalidPrefixListID.NotFound`, `PrefixListVersionMismatch`,
/// `InvalidParameterValue`, `InvalidParameterCombination`,
/// `PrefixListMaxEntriesExceeded`.
pub fn modify(cx: Cx<'_>, request: &ModifyPrefixList) -> Result<PrefixList> {
    let mut list = find(cx, &request.id)?;
    check_version(&list, request.current_version)?;
    if let Some(name) = &request.name {
        check_name(name)?;
        list.name.clone_from(name);
    }
    let changes_entries = !request.add.is_empty() || !request.remove.is_empty();
    if let Some(max_entries) = request.max_entries {
        check_max_entries(max_entries)?;
        if changes_entries {
            let message = "MaxEntries and entries cannot be modified in the same request.";
            return Err(ControlError::fault("InvalidParameterCombination", message));
        }
        if i64::try_from(list.entries.len()).is_ok_and(|count| count > max_entries) {
            return Err(invalid(format!(
                "MaxEntries cannot be less than the {} entries of the prefix list",
                list.entries.len()
            )));
        }
        list.max_entries = max_entries;
        cx.tx.put(cx.scope, &list)?;
        for group in referencing(cx, &list.id)? {
            let group: SecurityGroup = crate::security_group::find::by_id(cx, group.as_str())?;
            rule::check_limit(cx, &rule::of_group(cx, &group)?)?;
        }
    }
    let canonical = |text: &String| match request.is_lax {
        true => text.clone(),
        false => block(text).map_or_else(|| text.clone(), |block| block.to_string()),
    };
    let removed: BTreeSet<String> = request.remove.iter().map(canonical).collect();
    for cidr in removed.iter().filter(|_| !request.is_lax) {
        if !list.entries.iter().any(|entry| entry.cidr == *cidr) {
            return Err(invalid(format!("The CIDR block '{cidr}' is not an entry of the prefix list")));
        }
    }
    list.entries.retain(|entry| !removed.contains(&entry.cidr));
    add(&mut list, &request.add, request.is_lax)?;
    list.last = "modify".to_owned();
    if changes_entries {
        list.version += 1;
    }
    store(cx, &list)?;
    Ok(list)
}

fn check_version(list: &PrefixList, given: Option<i64>) -> Result<()> {
    if given.is_none_or(|given| given == list.version) {
        return Ok(());
    }
    let message = "The prefix list has the incorrect version number.";
    Err(ControlError::fault("PrefixListVersionMismatch", message))
}

/// Makes the entries of an earlier version those of a new one.
///
/// Errors: `InvalidPrefixListID.NotFound`, `PrefixListVersionMismatch`,
/// `PrefixListVersionNotFound`, `PrefixListMaxEntriesExceeded`.
pub fn restore(cx: Cx<'_>, id: &str, previous: i64, current: i64) -> Result<PrefixList> {
    let mut list = find(cx, id)?;
    check_version(&list, Some(current))?;
    let entries = entries_of(cx, &list, previous)?;
    list.entries.clear();
    add_all(&mut list, entries)?;
    list.version += 1;
    list.last = "restore".to_owned();
    store(cx, &list)?;
    Ok(list)
}

fn add_all(list: &mut PrefixList, entries: Vec<Entry>) -> Result<()> {
    list.entries = entries;
    add(list, &[], true)
}

/// The entries of a version, the newest for `None`.
///
/// Errors: `InvalidPrefixListID.NotFound`, `PrefixListVersionNotFound`.
pub fn entries(cx: Cx<'_>, id: &str, version: Option<i64>) -> Result<Vec<Entry>> {
    if is_amazons(cx, id) {
        return Ok(Vec::new());
    }
    let list = find(cx, id)?;
    entries_of(cx, &list, version.unwrap_or(list.version))
}

fn entries_of(cx: Cx<'_>, list: &PrefixList, version: i64) -> Result<Vec<Entry>> {
    let found: Option<Version> = cx.tx.get(cx.scope, &version_id(&list.id, version))?;
    found.map(|version| version.entries).ok_or_else(|| {
        let message = format!("The prefix list '{}' has no version {version}", list.id);
        ControlError::fault("PrefixListVersionNotFound", message)
    })
}

/// The list with this id.
///
/// Errors: `InvalidPrefixListId.Malformed`, `InvalidPrefixListID.NotFound`,
/// `OperationNotPermitted` for a list of Amazon's, which cannot be changed.
pub fn find(cx: Cx<'_>, id: &str) -> Result<PrefixList> {
    region::ensure(cx)?;
    if is_amazons(cx, id) {
        let message = format!("The prefix list '{id}' is managed by AWS");
        return Err(ControlError::fault("OperationNotPermitted", message));
    }
    FAULTS.find(cx, id)
}

/// Removes a list with its versions. Answers what it was.
///
/// Errors: `InvalidPrefixListID.NotFound`; `DependencyViolation` while rules
/// name it.
pub fn delete(cx: Cx<'_>, id: &str) -> Result<PrefixList> {
    let list = find(cx, id)?;
    if !referencing(cx, &list.id)?.is_empty() {
        let message = format!("The prefix list '{id}' is referenced by security groups");
        return Err(ControlError::fault("DependencyViolation", message));
    }
    for version in cx.tx.list_in::<Version>(cx.scope, id)? {
        cx.tx.delete::<Version>(cx.scope, &version.id)?;
    }
    cx.tx.delete::<PrefixList>(cx.scope, id)?;
    Ok(list)
}

/// The security groups whose rules name a list, each once.
pub fn referencing(cx: Cx<'_>, id: &PrefixListId) -> Result<Vec<SecurityGroupId>> {
    let rules: Vec<SecurityGroupRule> = cx.tx.list_by(cx.scope, "referenced-prefix-list", &[id.as_str()])?;
    let groups: BTreeSet<SecurityGroupId> = rules.into_iter().map(|rule| rule.group).collect();
    Ok(groups.into_iter().collect())
}

/// A list of AWS's own. They are there by name, because clients look for them,
/// and have no entries: Weir knows no addresses of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmazonList {
    pub id: PrefixListId,
    /// `com.amazonaws.us-east-1.s3`
    pub name: String,
}

/// The lists of AWS in the region.
pub fn amazons(cx: Cx<'_>) -> Vec<AmazonList> {
    let list = |service: &str| {
        let name = format!("com.amazonaws.{}.{service}", cx.scope.region);
        // FNV-1a: the same id in every account, as on AWS.
        let hash = name
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        format!("pl-{hash:08x}").parse().ok().map(|id| AmazonList { id, name })
    };
    ["dynamodb", "s3"].into_iter().filter_map(list).collect()
}

/// Whether a list is one of AWS's own.
pub fn is_amazons(cx: Cx<'_>, id: &str) -> bool {
    amazons(cx).iter().any(|list| list.id.as_str() == id)
}

#[cfg(test)]
mod tests;
