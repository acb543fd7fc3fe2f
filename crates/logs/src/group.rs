//! Log groups: create, delete, describe, retention, tags.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use crate::describe::{page, page_size};
use crate::documents::gone_with_group;
use crate::error::LogsError;
use crate::index::{Group, State};
use crate::limits::{Constraints, MAX_GROUPS, RETENTION_DAYS, add_tags, one_of};
use crate::record::{GroupMeta, Record};
use crate::store::{Scope, Store};
use crate::token::{list_token, read_list_token};
use weir_types::time::UnixMillis;

/// `logGroupClass`. Weir stores all alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogGroupClass {
    #[default]
    Standard,
    InfrequentAccess,
    Delivery,
}

impl LogGroupClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::InfrequentAccess => "INFREQUENT_ACCESS",
            Self::Delivery => "DELIVERY",
        }
    }
}

impl fmt::Display for LogGroupClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LogGroupClass {
    type Err = LogsError;
    fn from_str(text: &str) -> Result<Self, LogsError> {
        let all = [Self::Standard, Self::InfrequentAccess, Self::Delivery];
        if let Some(class) = all.into_iter().find(|class| class.as_str() == text) {
            return Ok(class);
        }
        Constraints::new().that(false, text, "logGroupClass", one_of(all)).finish()?;
        Ok(Self::Standard)
    }
}

/// What CreateLogGroup takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateLogGroup {
    pub name: String,
    pub class: LogGroupClass,
    /// Kept and shown; events are not encrypted with it.
    pub kms_key_id: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub deletion_protection: bool,
}

/// A log group as DescribeLogGroups shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    pub name: String,
    pub creation_time: UnixMillis,
    /// `None`: events never expire.
    pub retention_in_days: Option<u16>,
    /// Bytes of the events held, each with AWS's 26 bytes, before compression.
    /// Expired events count until [`Store::maintain`] removes them, which it
    /// does a day at a time.
    pub stored_bytes: u64,
    pub class: LogGroupClass,
    pub kms_key_id: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub deletion_protection: bool,
    pub metric_filter_count: usize,
}

/// What DescribeLogGroups takes. Prefix and pattern exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DescribeLogGroups {
    pub name_prefix: Option<String>,
    /// A part of the name, upper and lower case as written.
    pub name_pattern: Option<String>,
    pub class: Option<LogGroupClass>,
    /// 1 to 50, default 50.
    pub limit: Option<i64>,
    pub next_token: Option<String>,
}

/// A page of groups in ASCII order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroups {
    pub log_groups: Vec<LogGroup>,
    /// `None` on the last page.
    pub next_token: Option<String>,
}

impl Store {
    /// CreateLogGroup. `ResourceAlreadyExists` if the name is taken.
    pub fn create_log_group(
        &self,
        scope: &Scope,
        request: CreateLogGroup,
        now: UnixMillis,
    ) -> Result<(), LogsError> {
        let CreateLogGroup { name, class, kms_key_id, tags, deletion_protection } = request;
        let mut constraints = Constraints::new();
        constraints.group_name(&name, "logGroupName").tags(&tags);
        constraints.length(kms_key_id.as_deref().unwrap_or_default(), "kmsKeyId", 0, 256);
        constraints.finish()?;
        if name.starts_with("aws/") {
            let text = "Log groups starting with aws/ are reserved for AWS.";
            return Err(LogsError::InvalidParameter(text.into()));
        }
        let scope = scope.clone();
        self.change(move |state| {
            let names = state.names.get(&scope);
            if names.is_some_and(|names| names.contains_key(&name)) {
                return Err(LogsError::GROUP_EXISTS);
            }
            if names.map_or(0, BTreeMap::len) >= MAX_GROUPS {
                return Err(LogsError::LimitExceeded("Resource limit exceeded."));
            }
            Ok(vec![Record::Group(GroupMeta {
                id: state.next_id.max(1),
                scope,
                name,
                created: now.0,
                class: class.as_str().to_owned(),
                kms_key_id,
                retention_days: None,
                tags,
                deletion_protection,
                expired: Vec::new(),
                metric_filters: BTreeMap::new(),
                subscription_filters: BTreeMap::new(),
            })])
        })?;
        Ok(())
    }

    /// DeleteLogGroup, with all its streams and events.
    pub fn delete_log_group(&self, scope: &Scope, name: &str) -> Result<(), LogsError> {
        Constraints::new().group_name(name, "logGroupName").finish()?;
        let (scope, name) = (scope.clone(), name.to_owned());
        self.change(move |state| {
            let group = state.group(&scope, &name)?;
            if group.meta.deletion_protection {
                return Err(LogsError::Validation(
                    "The log group has deletion protection enabled. Disable deletion protection before you delete it.",
                ));
            }
            let mut records = vec![Record::GroupGone(group.meta.id)];
            records.extend(gone_with_group(state, &scope, &name));
            Ok(records)
        })?;
        Ok(())
    }

    /// One group by its name.
    pub fn log_group(&self, scope: &Scope, name: &str) -> Result<LogGroup, LogsError> {
        Constraints::new().group_name(name, "logGroupName").finish()?;
        let state = self.state();
        Ok(shown(&state, state.group(scope, name)?))
    }

    /// The tags of a group, without the cost of counting its bytes.
    pub fn log_group_tags(&self, scope: &Scope, name: &str) -> Result<BTreeMap<String, String>, LogsError> {
        Constraints::new().group_name(name, "logGroupName").finish()?;
        Ok(self.state().group(scope, name)?.meta.tags.clone())
    }

    /// DescribeLogGroups. No match is an empty page.
    pub fn describe_log_groups(
        &self,
        scope: &Scope,
        request: &DescribeLogGroups,
    ) -> Result<LogGroups, LogsError> {
        const LIST: &str = "log groups";
        let mut constraints = Constraints::new();
        let size = page_size(request.limit, &mut constraints);
        if let Some(prefix) = request.name_prefix.as_deref() {
            constraints.group_name(prefix, "logGroupNamePrefix");
        }
        let pattern = request.name_pattern.as_deref().unwrap_or_default();
        if !pattern.is_empty() {
            constraints.group_name(pattern, "logGroupNamePattern");
        }
        constraints.finish()?;
        if request.name_prefix.is_some() && request.name_pattern.is_some() {
            let text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
            return Err(LogsError::InvalidParameter(text.into()));
        }
        let prefix = request.name_prefix.as_deref().unwrap_or_default();
        let after = request.next_token.as_deref().map(|token| read_list_token(token, LIST)).transpose()?;

        let state = self.state();
        let start = match after.as_deref() {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        let groups = state.names.get(scope).into_iter();
        let groups = groups
            .flat_map(|names| names.range::<str, _>((start, Bound::Unbounded)))
            .take_while(|(name, _)| after.is_some() || name.starts_with(prefix))
            .filter(|(name, _)| name.starts_with(prefix) && name.contains(pattern))
            .filter_map(|(_, id)| state.groups.get(id))
            .filter(|group| request.class.is_none_or(|class| group.meta.class == class.as_str()));
        let (groups, last) = page(groups, size, |group| list_token(LIST, &group.meta.name));
        let log_groups = groups.into_iter().map(|group| shown(&state, group)).collect();
        Ok(LogGroups { log_groups, next_token: last })
    }

    /// PutRetentionPolicy: one of [`RETENTION_DAYS`]. Older events are no
    /// longer shown from now on.
    pub fn put_retention_policy(&self, scope: &Scope, name: &str, days: i64) -> Result<(), LogsError> {
        let mut constraints = Constraints::new();
        constraints.group_name(name, "logGroupName");
        constraints.that(RETENTION_DAYS.contains(&days), days, "retentionInDays", one_of(RETENTION_DAYS));
        constraints.finish()?;
        let days = u16::try_from(days).ok();
        self.update_group(scope, name, move |meta| {
            meta.retention_days = days;
            Ok(())
        })
    }

    /// DeleteRetentionPolicy. Not an error if there is none.
    pub fn delete_retention_policy(&self, scope: &Scope, name: &str) -> Result<(), LogsError> {
        self.update_group(scope, name, |meta| {
            meta.retention_days = None;
            Ok(())
        })
    }

    /// AssociateKmsKey, or DisassociateKmsKey with `None`.
    pub fn set_kms_key(&self, scope: &Scope, name: &str, key: Option<String>) -> Result<(), LogsError> {
        Constraints::new().length(key.as_deref().unwrap_or_default(), "kmsKeyId", 0, 256).finish()?;
        self.update_group(scope, name, |meta| {
            meta.kms_key_id = key;
            Ok(())
        })
    }

    /// PutLogGroupDeletionProtection.
    pub fn set_deletion_protection(&self, scope: &Scope, name: &str, on: bool) -> Result<(), LogsError> {
        self.update_group(scope, name, move |meta| {
            meta.deletion_protection = on;
            Ok(())
        })
    }

    /// TagResource or TagLogGroup: adds, and replaces values of keys that are there.
    pub fn tag_log_group(
        &self,
        scope: &Scope,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<(), LogsError> {
        Constraints::new().tags(&tags).finish()?;
        self.update_group(scope, name, |meta| add_tags(&mut meta.tags, tags))
    }

    /// UntagResource or UntagLogGroup. Keys that are not there do not matter.
    pub fn untag_log_group(&self, scope: &Scope, name: &str, keys: Vec<String>) -> Result<(), LogsError> {
        self.update_group(scope, name, move |meta| {
            meta.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    /// Writes nothing if nothing changes.
    pub(crate) fn update_group(
        &self,
        scope: &Scope,
        name: &str,
        update: impl FnOnce(&mut GroupMeta) -> Result<(), LogsError> + Send + 'static,
    ) -> Result<(), LogsError> {
        Constraints::new().group_name(name, "logGroupName").finish()?;
        let (scope, name) = (scope.clone(), name.to_owned());
        self.change(move |state| {
            let old = &state.group(&scope, &name)?.meta;
            let mut meta = old.clone();
            update(&mut meta)?;
            Ok(if meta == *old { Vec::new() } else { vec![Record::Group(meta)] })
        })?;
        Ok(())
    }
}

fn shown(state: &State, group: &Group) -> LogGroup {
    let meta = &group.meta;
    let streams = group.streams.values().filter_map(|id| state.streams.get(id));
    LogGroup {
        name: meta.name.clone(),
        creation_time: UnixMillis(meta.created),
        retention_in_days: meta.retention_days,
        stored_bytes: streams.map(|stream| stream.bytes + stream.segment_bytes).sum(),
        class: meta.class.parse().unwrap_or_default(),
        kms_key_id: meta.kms_key_id.clone(),
        tags: meta.tags.clone(),
        deletion_protection: meta.deletion_protection,
        metric_filter_count: meta.metric_filters.len(),
    }
}
