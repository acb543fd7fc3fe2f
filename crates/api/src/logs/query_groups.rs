//! Which groups a query reads, and the formats of the flow logs that write to
//! them.

use super::error::invalid;
use super::{arn, identify, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use weir_control::flow_log::{FlowLog, LogDestination};
use weir_logs::DescribeLogGroups;
use weir_logs::insights::{Group, Source};
use weir_logs::limits::{Constraints, at_least, at_most};

/// The most groups that a request names. Source: StartQuery.
const MOST: usize = 50;
/// The most groups that `SOURCE` finds.
const MOST_FOUND: usize = 1000;

/// The groups of a StartQuery request or of its text, which the caller may query.
///
/// Errors: `InvalidParameterException`, `AccessDeniedException`,
/// `ResourceNotFoundException`.
pub fn groups(
    call: &Call<'_>,
    members: Members<'_>,
    source: Option<&Source>,
) -> Result<Vec<Group>, ApiError> {
    let names = named(call, members)?;
    let names = match (names, source) {
        (Some(_), Some(_)) => {
            return Err(invalid("The query has a SOURCE command, so the request must not name log groups."));
        }
        (Some(names), None) => names,
        (None, Some(source)) => found(call, source)?,
        (None, None) => {
            return Err(invalid(
                "One of logGroupName, logGroupNames and logGroupIdentifiers must be specified.",
            ));
        }
    };
    let scope = arn::store_scope(&call.scope);
    let mut groups: Vec<Group> = Vec::with_capacity(names.len());
    for name in names {
        if groups.iter().any(|group| group.name == name) {
            continue;
        }
        permit::group(call, "StartQuery", &name)?;
        if let Err(error) = call.services.logs.log_group_tags(&scope, &name) {
            return Err(absent(call, &name, error.into()));
        }
        groups.push(Group { scope: scope.clone(), name, formats: Vec::new() });
    }
    add_formats(call, &mut groups)?;
    Ok(groups)
}

/// AWS's words of this one action.
fn absent(call: &Call<'_>, name: &str, error: ApiError) -> ApiError {
    if error.code != "ResourceNotFoundException" || call.services.settings.emulator {
        return error;
    }
    let message = format!(
        "Log group '{name}' does not exist for account ID '{}' (Service: AWSLogs; Status Code: 400; Error Code: \
         ResourceNotFoundException; Request ID: {}; Proxy: null)",
        call.scope.account, call.request_id
    );
    ApiError { message, ..error }
}

fn named(call: &Call<'_>, members: Members<'_>) -> Result<Option<Vec<String>>, ApiError> {
    let name = members.text("logGroupName")?;
    let names = members.texts("logGroupNames")?;
    let identifiers = members.texts("logGroupIdentifiers")?;
    let mut constraints = Constraints::new();
    for (list, member) in [(&names, "logGroupNames"), (&identifiers, "logGroupIdentifiers")] {
        let Some(list) = list else { continue };
        let shown = format!("[{}]", list.join(", "));
        constraints.that(!list.is_empty(), &shown, member, at_least("length", 1));
        constraints.that(list.len() <= MOST, &shown, member, at_most("length", MOST));
    }
    for name in name.iter().chain(names.iter().flatten()) {
        constraints.group_name(name, if names.is_some() { "logGroupNames" } else { "logGroupName" });
    }
    constraints.finish()?;
    match (name, names, identifiers) {
        (None, None, None) => Ok(None),
        (Some(name), None, None) => Ok(Some(vec![name.to_owned()])),
        (None, Some(names), None) => Ok(Some(names.into_iter().map(str::to_owned).collect())),
        (None, None, Some(identifiers)) => {
            let identified = |identifier| identify::identified(identifier, &call.scope);
            identifiers.into_iter().map(identified).collect::<Result<_, _>>().map(Some)
        }
        _ => Err(invalid(
            "logGroupName, logGroupNames and logGroupIdentifiers are mutually exclusive parameters.",
        )),
    }
}

/// The groups that a `SOURCE` means.
fn found(call: &Call<'_>, source: &Source) -> Result<Vec<String>, ApiError> {
    if source.accounts.iter().any(|account| *account != call.scope.account) {
        return Err(invalid("SOURCE can only name the account of the caller."));
    }
    let mut names = source.names.clone();
    let is_search = !source.name_prefixes.is_empty() || !source.classes.is_empty();
    if !is_search && names.is_empty() {
        return Err(invalid("SOURCE names no log group."));
    }
    let every = [String::new()];
    let prefixes = if source.name_prefixes.is_empty() { &every[..] } else { &source.name_prefixes };
    for prefix in prefixes.iter().filter(|_| is_search) {
        let mut request = DescribeLogGroups {
            name_prefix: (!prefix.is_empty()).then(|| prefix.clone()),
            ..Default::default()
        };
        loop {
            let page = call.services.logs.describe_log_groups(&arn::store_scope(&call.scope), &request)?;
            let is_wanted = |class: &str| {
                source.classes.is_empty()
                    || source.classes.iter().any(|known| known.eq_ignore_ascii_case(class))
            };
            let fitting = page.log_groups.into_iter().filter(|group| is_wanted(group.class.as_str()));
            names.extend(fitting.map(|group| group.name));
            if names.len() > MOST_FOUND {
                let message = format!("SOURCE finds more than {MOST_FOUND} log groups.");
                return Err(ApiError::new("LimitExceededException", message));
            }
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                break;
            }
        }
    }
    Ok(names)
}

/// The formats of the flow logs that write to the groups.
pub fn add_formats(call: &Call<'_>, groups: &mut [Group]) -> Result<(), ApiError> {
    let flow_logs = call.transact(|cx| cx.tx.list_everywhere::<FlowLog>())?;
    for (scope, flow_log) in flow_logs {
        let LogDestination::CloudWatchLogs { log_group, arn, .. } = &flow_log.config.destination else {
            continue;
        };
        for group in groups.iter_mut().filter(|group| group.name == *log_group) {
            let is_own = match arn {
                Some(arn) => arn.contains(&format!(":{}:{}:", group.scope.region, group.scope.account)),
                None => scope.account == group.scope.account && scope.region == group.scope.region,
            };
            if is_own && !group.formats.contains(&flow_log.config.log_format) {
                group.formats.push(flow_log.config.log_format.clone());
            }
        }
    }
    Ok(())
}
