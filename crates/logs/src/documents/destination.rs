//! Destinations: names for streams that subscription filters send to.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Kind, all, get, gone, put};
use crate::describe::page_size;
use crate::error::LogsError;
use crate::index::State;
use crate::limits::{Constraints, add_tags, at_least};
use crate::store::{Scope, Store};
use crate::token::{list_token, read_list_token};
use weir_types::time::UnixMillis;

/// Bytes of an access policy. Source: user guide, "CloudWatch Logs quotas".
const MAX_POLICY: usize = 5120;

/// A destination of subscription filters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogDestination {
    pub name: String,
    /// The stream.
    pub target_arn: String,
    pub role_arn: String,
    /// Which accounts may send to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_policy: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Milliseconds since 1970.
    pub created: i64,
}

/// A page in order of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDestinations {
    pub destinations: Vec<LogDestination>,
    pub next_token: Option<String>,
}

impl Kind for LogDestination {
    const KIND: &'static str = "destination";

    fn id(&self) -> String {
        self.name.clone()
    }
}

const NO_DESTINATION: LogsError = LogsError::ResourceNotFound("The specified destination does not exist.");

fn check_name<'a>(constraints: &'a mut Constraints, name: &str, member: &str) -> &'a mut Constraints {
    constraints.length(name, member, 1, 512);
    let rule = "Member must satisfy regular expression pattern: [^:*]*";
    constraints.that(!name.contains([':', '*']), name, member, rule)
}

/// The name in a destination's ARN, if the ARN is of one of this account and region.
fn name_in<'a>(arn: &'a str, scope: &Scope) -> Option<&'a str> {
    let mut parts = arn.splitn(7, ':');
    let (service, region, account) = (parts.nth(2)?, parts.next()?, parts.next()?);
    let is_own = service == "logs" && region == scope.region && account == scope.account;
    parts.next().filter(|kind| is_own && *kind == "destination").and_then(|_| parts.next())
}

/// The destination that an ARN names, of this account and region.
pub(crate) fn named(state: &State, scope: &Scope, arn: &str) -> Option<LogDestination> {
    get(state, scope, name_in(arn, scope)?)
}

impl Store {
    /// PutDestination: makes one, or changes its stream and role. Tags are
    /// those of a new one only.
    pub fn put_destination(
        &self,
        scope: &Scope,
        mut destination: LogDestination,
        now: UnixMillis,
    ) -> Result<LogDestination, LogsError> {
        let mut constraints = Constraints::new();
        check_name(&mut constraints, &destination.name, "destinationName");
        for (text, member) in [(&destination.target_arn, "targetArn"), (&destination.role_arn, "roleArn")] {
            constraints.that(!text.is_empty(), text, member, at_least("length", 1));
        }
        constraints.tags(&destination.tags).finish()?;
        let name = destination.name.clone();
        let kept = scope.clone();
        self.change(move |state| {
            destination.created = now.0;
            if let Some(old) = get::<LogDestination>(state, &kept, &destination.name) {
                destination.created = old.created;
                destination.access_policy = old.access_policy;
                destination.tags = old.tags;
            }
            Ok(vec![put(&kept, &destination)])
        })?;
        self.log_destination(scope, &name).ok_or(NO_DESTINATION)
    }

    /// PutDestinationPolicy. The text is checked by the service.
    pub fn put_destination_policy(&self, scope: &Scope, name: &str, policy: &str) -> Result<(), LogsError> {
        let mut constraints = Constraints::new();
        check_name(&mut constraints, name, "destinationName");
        constraints.length(policy, "accessPolicy", 1, MAX_POLICY).finish()?;
        let policy = policy.to_owned();
        self.update_destination(scope, name, |destination| {
            destination.access_policy = Some(policy);
            Ok(())
        })
    }

    /// The destination of this name.
    pub fn log_destination(&self, scope: &Scope, name: &str) -> Option<LogDestination> {
        get(&self.state(), scope, name)
    }

    /// The destination with this ARN. `ResourceNotFound` if there is none, in
    /// this account and region.
    pub fn log_destination_by_arn(&self, scope: &Scope, arn: &str) -> Result<LogDestination, LogsError> {
        named(&self.state(), scope, arn).ok_or(NO_DESTINATION)
    }

    /// ListTagsForResource of a destination.
    pub fn destination_tags(&self, scope: &Scope, name: &str) -> Result<BTreeMap<String, String>, LogsError> {
        self.log_destination(scope, name).map(|destination| destination.tags).ok_or(NO_DESTINATION)
    }

    /// TagResource of a destination.
    pub fn tag_destination(
        &self,
        scope: &Scope,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<(), LogsError> {
        Constraints::new().tags(&tags).finish()?;
        self.update_destination(scope, name, |destination| add_tags(&mut destination.tags, tags))
    }

    /// UntagResource of a destination. Keys that are not there do not matter.
    pub fn untag_destination(&self, scope: &Scope, name: &str, keys: Vec<String>) -> Result<(), LogsError> {
        self.update_destination(scope, name, move |destination| {
            destination.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    fn update_destination(
        &self,
        scope: &Scope,
        name: &str,
        update: impl FnOnce(&mut LogDestination) -> Result<(), LogsError> + Send + 'static,
    ) -> Result<(), LogsError> {
        let (scope, name) = (scope.clone(), name.to_owned());
        self.change(move |state| {
            let mut destination: LogDestination = get(state, &scope, &name).ok_or(NO_DESTINATION)?;
            update(&mut destination)?;
            Ok(vec![put(&scope, &destination)])
        })?;
        Ok(())
    }

    /// DescribeDestinations. `limit` 1 to 50, default 50.
    pub fn describe_destinations(
        &self,
        scope: &Scope,
        name_prefix: Option<&str>,
        limit: Option<i64>,
        next_token: Option<&str>,
    ) -> Result<LogDestinations, LogsError> {
        const LIST: &str = "destinations";
        let mut constraints = Constraints::new();
        let size = page_size(limit, &mut constraints);
        if let Some(prefix) = name_prefix {
            check_name(&mut constraints, prefix, "DestinationNamePrefix");
        }
        constraints.finish()?;
        let after = next_token.map(|token| read_list_token(token, LIST)).transpose()?;
        let mut found = all::<LogDestination>(&self.state(), scope);
        found.retain(|d| {
            name_prefix.is_none_or(|prefix| d.name.starts_with(prefix))
                && after.as_ref().is_none_or(|after| d.name > *after)
        });
        let more = found.len() > size;
        found.truncate(size);
        let next_token = found.last().filter(|_| more).map(|last| list_token(LIST, &last.name));
        Ok(LogDestinations { destinations: found, next_token })
    }

    /// DeleteDestination. Subscription filters that send to it wait until there
    /// is one of its name again.
    pub fn delete_destination(&self, scope: &Scope, name: &str) -> Result<(), LogsError> {
        check_name(&mut Constraints::new(), name, "destinationName").finish()?;
        let (scope, name) = (scope.clone(), name.to_owned());
        self.change(move |state| match get::<LogDestination>(state, &scope, &name) {
            Some(_) => Ok(vec![gone::<LogDestination>(&scope, &name)]),
            None => Err(NO_DESTINATION),
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arns_of_this_account_and_region_name_a_destination() {
        let scope = Scope::new("123456789012", "us-east-1");
        for (arn, expected) in [
            ("arn:aws:logs:us-east-1:123456789012:destination:d", Some("d")),
            ("arn:aws:logs:us-east-1:999999999999:destination:d", None),
            ("arn:aws:logs:eu-west-1:123456789012:destination:d", None),
            ("arn:aws:logs:us-east-1:123456789012:log-group:d", None),
            ("arn:aws:logs:us-east-1:123456789012:destination", None),
            ("arn:aws:kinesis:us-east-1:123456789012:stream/d", None),
            ("d", None),
        ] {
            assert_eq!(name_in(arn, &scope), expected, "{arn}");
        }
    }
}
