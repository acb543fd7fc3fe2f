//! Subscription filters: put, describe, delete, and the events they are for.
//!
//! A subscriber reads what was stored after a sequence, a page at a time, and
//! keeps its place itself; so no writer ever waits for a subscriber, and a
//! subscriber that was away goes on where it stopped.
//!
//! Source: CloudWatch Logs API reference, PutSubscriptionFilter and its neighbours.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::metric::NamedFilter;
use super::page::{filter_name, paged, parse, pattern_length, room_for_regexes, system_fields};
use super::selection::selects;
use crate::describe::page_size;
use crate::documents::destination;
use crate::error::LogsError;
use crate::index::{Entry, Group, Place, State, StreamNames};
use crate::limits::{Constraints, EVENT_OVERHEAD_BYTES, at_least, one_of};
use crate::pattern::Pattern;
use crate::read::Located;
use crate::segment::{Found, Segment, Selection, Walk, Wanted};
use crate::store::{Scope, Store};
use crate::token::event_id;
use weir_types::time::UnixMillis;

/// Most subscription filters of one log group.
const MAX_FILTERS: usize = 2;

/// A subscription filter as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubscriptionFilter {
    pub pattern: String,
    pub destination_arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// `ByLogStream` or `Random`.
    pub distribution: String,
    /// Milliseconds since 1970.
    pub created: i64,
    #[serde(default)]
    pub apply_on_transformed_logs: bool,
    /// For which accounts and regions it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_selection_criteria: Option<String>,
    /// `@aws.account` and `@aws.region`, to go with each event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emit_system_fields: Vec<String>,
    /// Events up to this sequence are older than the filter.
    pub after_sequence: u64,
}

/// What DescribeSubscriptionFilters takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DescribeSubscriptionFilters {
    pub group: String,
    pub name_prefix: Option<String>,
    /// 1 to 50, default 50.
    pub limit: Option<i64>,
    pub next_token: Option<String>,
}

/// A page in order of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionFilters {
    pub subscription_filters: Vec<(String, SubscriptionFilter)>,
    pub next_token: Option<String>,
}

/// One event for a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedEvent {
    /// The id that FilterLogEvents gives it.
    pub id: String,
    pub stream: String,
    pub timestamp: UnixMillis,
    pub message: String,
    pub sequence: u64,
}

/// A page for a subscriber, in order of sequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    pub events: Vec<SubscribedEvent>,
    /// Where the next page begins: every event of the group up to this
    /// sequence was in this page or an earlier one.
    pub read_to: u64,
    /// There was more.
    pub more: bool,
}

impl Store {
    /// The checks of PutSubscriptionFilter that need no destination.
    pub fn check_subscription_filter(
        &self,
        scope: &Scope,
        group: &str,
        name: &str,
        filter: &SubscriptionFilter,
    ) -> Result<Pattern, LogsError> {
        let mut constraints = Constraints::new();
        constraints.group_name(group, "logGroupName");
        filter_name(&mut constraints, name, "filterName");
        pattern_length(&mut constraints, &filter.pattern);
        let arn = &filter.destination_arn;
        constraints.that(!arn.is_empty(), arn, "destinationArn", at_least("length", 1));
        let kinds = ["Random", "ByLogStream"];
        let known = kinds.contains(&filter.distribution.as_str());
        constraints.that(known, &filter.distribution, "distribution", one_of(kinds));
        system_fields(&mut constraints, &filter.emit_system_fields, "emitSystemFields");
        constraints.finish()?;
        selects(filter.field_selection_criteria.as_deref(), scope)?;
        let pattern = parse(&filter.pattern, "filter")?;
        let state = self.state();
        let meta = &state.group(scope, group)?.meta;
        room_for_regexes(meta, &pattern, name, "")?;
        room(&meta.subscription_filters, name)?;
        Ok(pattern)
    }

    /// PutSubscriptionFilter: makes or replaces a filter. A new one is for
    /// events that are stored from now on; a replaced one keeps its place.
    pub fn put_subscription_filter(
        &self,
        scope: &Scope,
        group: &str,
        name: &str,
        mut filter: SubscriptionFilter,
        now: UnixMillis,
    ) -> Result<(), LogsError> {
        let pattern = self.check_subscription_filter(scope, group, name, &filter)?;
        let name = name.to_owned();
        // Read before the change: what is stored between the two is delivered.
        filter.after_sequence = self.state().next_sequence.saturating_sub(1);
        filter.created = now.0;
        self.update_group(scope, group, move |meta| {
            room(&meta.subscription_filters, &name)?;
            room_for_regexes(meta, &pattern, &name, "")?;
            if let Some(old) = meta.subscription_filters.get(&name) {
                filter.created = old.created;
                // One that was for no events of this group has no place to keep.
                if selects(old.field_selection_criteria.as_deref(), &meta.scope).unwrap_or_default() {
                    filter.after_sequence = old.after_sequence;
                }
            }
            meta.subscription_filters.insert(name, filter);
            Ok(())
        })
    }

    /// DescribeSubscriptionFilters.
    pub fn describe_subscription_filters(
        &self,
        scope: &Scope,
        request: &DescribeSubscriptionFilters,
    ) -> Result<SubscriptionFilters, LogsError> {
        let mut constraints = Constraints::new();
        constraints.group_name(&request.group, "logGroupName");
        let size = page_size(request.limit, &mut constraints);
        if let Some(prefix) = &request.name_prefix {
            filter_name(&mut constraints, prefix, "filterNamePrefix");
        }
        constraints.finish()?;
        let prefix = request.name_prefix.as_deref().unwrap_or_default();
        let state = self.state();
        let group = state.group(scope, &request.group)?;
        let filters = group.meta.subscription_filters.iter().filter(|(name, _)| name.starts_with(prefix));
        let filters = filters.map(|(name, filter)| (name.clone(), filter.clone())).collect();
        let list = format!("subscription filters of {}", group.meta.id);
        let token = request.next_token.as_deref();
        let (subscription_filters, next_token) =
            paged(filters, size, token, &list, |(name, _)| name.clone())?;
        Ok(SubscriptionFilters { subscription_filters, next_token })
    }

    /// DeleteSubscriptionFilter. `ResourceNotFound` if there is none of this name.
    pub fn delete_subscription_filter(
        &self,
        scope: &Scope,
        group: &str,
        name: &str,
    ) -> Result<(), LogsError> {
        let mut constraints = Constraints::new();
        constraints.group_name(group, "logGroupName");
        filter_name(&mut constraints, name, "filterName");
        constraints.finish()?;
        let name = name.to_owned();
        self.update_group(scope, group, move |meta| match meta.subscription_filters.remove(&name) {
            Some(_) => Ok(()),
            None => Err(LogsError::ResourceNotFound("The specified subscription filter does not exist.")),
        })
    }

    /// Every subscription filter of every account and region that is for events
    /// of its own account and region. One that sends to
    /// a destination has that one's stream and role.
    pub fn subscription_filters(&self) -> Vec<(Scope, NamedFilter<SubscriptionFilter>)> {
        let state = self.state();
        let groups = state.groups.values().filter(|group| !group.meta.subscription_filters.is_empty());
        let filters = groups.flat_map(|group| {
            let of = &group.meta;
            let wanted = |filter: &SubscriptionFilter| {
                selects(filter.field_selection_criteria.as_deref(), &of.scope).unwrap_or_default()
            };
            let filters = of.subscription_filters.iter().filter(move |(_, filter)| wanted(filter));
            filters.map(|(name, filter)| {
                let mut filter = filter.clone();
                if let Some(destination) = destination::named(&state, &of.scope, &filter.destination_arn) {
                    filter.destination_arn = destination.target_arn;
                    filter.role_arn = Some(destination.role_arn);
                }
                let named = NamedFilter { group: of.name.clone(), name: name.clone(), filter };
                (of.scope.clone(), named)
            })
        });
        filters.collect()
    }

    /// The group's events after a sequence, at most `max_events` and about
    /// `max_bytes`, in the order in which they were stored. Those that are gone
    /// meanwhile (deleted, expired) are left out.
    pub fn subscribed(
        &self,
        scope: &Scope,
        group: &str,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Subscribed, LogsError> {
        let state = self.state();
        let group = state.group(scope, group)?;
        let last = state.next_sequence.saturating_sub(1);
        let mut entries = after_sequence(&state, group, after);
        entries.sort_unstable_by_key(|(entry, _)| entry.sequence);
        entries.truncate(max_events.saturating_add(1));
        let names = group.stream_names.clone();
        let expired = group.meta.expired.clone();
        let (streams, entries): (Vec<u64>, Vec<Entry>) =
            entries.into_iter().map(|(entry, stream)| (stream, entry)).unzip();
        let id = group.meta.id;
        let segments = state.segments_of(id, i64::MIN, i64::MAX);
        let behind = |segment: &Arc<Segment>| segment.meta.part(id).is_some_and(|p| p.last_sequence > after);
        let segments: Vec<Arc<Segment>> = segments.into_iter().filter(behind).collect();
        let located = Located::new(&state, entries);
        drop(state);

        let stored = if segments.is_empty() {
            Vec::new()
        } else {
            in_segments(segments, id, names.clone(), expired, after, max_events.saturating_add(1))?
        };
        let mut stored = stored.into_iter().peekable();
        let mut recent = located.read()?.into_iter().zip(streams).peekable();
        let (mut events, mut bytes, mut more) = (Vec::new(), 0, false);
        loop {
            let first = match (stored.peek(), recent.peek()) {
                (Some((sequence, _)), Some(((entry, _), _))) => *sequence < entry.sequence,
                (stored, _) => stored.is_some(),
            };
            let (place, stream, message) = if first {
                let Some((_, found)) = stored.next() else { break };
                (found.place, found.block.stream(found.row), found.block.message_string(found.row)?)
            } else {
                let Some(((entry, message), stream)) = recent.next() else { break };
                (entry.place(), stream, message)
            };
            bytes += message.len() + EVENT_OVERHEAD_BYTES;
            if events.len() >= max_events || (bytes > max_bytes && !events.is_empty()) {
                more = true;
                break;
            }
            events.push(SubscribedEvent {
                id: event_id(stream, place),
                stream: names.get(&stream).cloned().unwrap_or_default(),
                timestamp: UnixMillis(place.timestamp),
                message,
                sequence: place.sequence,
            });
        }
        let read_to = match events.last() {
            Some(event) if more => event.sequence,
            _ => last.max(after),
        };
        Ok(Subscribed { events, read_to, more })
    }
}

/// The first events of the group's segments after a sequence, in order of
/// sequences: for a subscriber that was far behind when they were flushed.
fn in_segments(
    mut segments: Vec<Arc<Segment>>,
    group: u64,
    names: Arc<StreamNames>,
    expired: Vec<(i64, u64)>,
    after: u64,
    most: usize,
) -> Result<Vec<(u64, Found)>, LogsError> {
    let first = |segment: &Arc<Segment>| segment.meta.part(group).map_or(u64::MAX, |p| p.first_sequence);
    segments.sort_by_key(first);
    let mut all: Vec<(u64, Found)> = Vec::new();
    for segment in segments {
        // Nothing in this one or in those that follow comes earlier.
        if all.len() >= most && all.last().is_some_and(|(last, _)| *last < first(&segment)) {
            break;
        }
        let wanted = Wanted {
            group,
            streams: Selection::All(names.clone()),
            after: Place::FIRST,
            before: Place { timestamp: i64::MAX, sequence: u64::MAX },
            expired: expired.clone(),
            after_sequence: after,
            pattern: None,
        };
        let mut walk = Walk::new([segment], wanted, None, true);
        while let Some(found) = walk.next()? {
            all.push((found.place.sequence, found));
        }
        all.sort_unstable_by_key(|(sequence, _)| *sequence);
        all.truncate(most);
    }
    Ok(all)
}

fn room(
    filters: &std::collections::BTreeMap<String, SubscriptionFilter>,
    name: &str,
) -> Result<(), LogsError> {
    if !filters.contains_key(name) && filters.len() >= MAX_FILTERS {
        return Err(LogsError::LimitExceeded("Resource limit exceeded."));
    }
    Ok(())
}

/// Entries with the ids of their streams.
fn after_sequence(state: &State, group: &Group, after: u64) -> Vec<(Entry, u64)> {
    let mut found = Vec::new();
    if after >= group.recent.complete_after {
        let batches = &group.recent.batches;
        let start = batches.partition_point(|batch| batch.last_sequence <= after);
        for batch in batches.range(start..) {
            let Some(stream) = state.streams.get(&batch.stream) else { continue };
            let within = stream.between(batch.first, batch.last.saturating_add(1), i64::MIN);
            let wanted = batch.first_sequence.max(after + 1)..=batch.last_sequence;
            let entries = within.iter().filter(|entry| wanted.contains(&entry.sequence));
            found.extend(entries.map(|entry| (*entry, batch.stream)));
        }
        return found;
    }
    // After a start, or for a subscriber that is far behind.
    for (id, stream) in group.streams.values().filter_map(|id| Some((*id, state.streams.get(id)?))) {
        if stream.meta.seen.is_some_and(|seen| seen.last_sequence > after) {
            found.extend(stream.entries.iter().filter(|e| e.sequence > after).map(|entry| (*entry, id)));
        }
    }
    found
}
