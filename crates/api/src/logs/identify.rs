//! Which group a request means: `logGroupName`, `logGroupIdentifier`,
//! `resourceIdentifier` or `resourceArn`.
//!
//! ARNs end with the group's name. The end `:*`, as in `arn` of
//! DescribeLogGroups, breaks the pattern of the model and is refused as AWS
//! does. A group of another account or region is not found.

use super::error::{invalid, no_group};
use crate::error::ApiError;
use crate::protocol::json::Members;
use weir_control::Scope;
use weir_logs::limits::Constraints;
use weir_types::arn::Arn;

/// What an identifier may consist of, and how long it may be.
struct Model {
    member: &'static str,
    max: usize,
    pattern: &'static str,
    /// Besides ASCII letters, digits and `_`.
    signs: &'static str,
}

const IDENTIFIER: Model =
    Model { member: "logGroupIdentifier", max: 2048, pattern: r"[\w#+=/:,.@-]*", signs: "#+=/:,.@-" };
const RESOURCE_ARN: Model =
    Model { member: "resourceArn", max: 1011, pattern: r"[\w+=/:,.@-]*", signs: "+=/:,.@-" };
const RESOURCE_IDENTIFIER: Model =
    Model { member: "resourceIdentifier", max: 2048, pattern: r"[\w+=/:,.@\-\*]*", signs: "+=/:,.@-*" };

impl Model {
    fn check(&self, text: &str) -> Result<(), ApiError> {
        let mut constraints = Constraints::new();
        constraints.length(text, self.member, 1, self.max);
        let holds = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || self.signs.contains(c));
        let rule = format!("Member must satisfy regular expression pattern: {}", self.pattern);
        Ok(constraints.unquoted(holds, self.member, rule).finish()?)
    }
}

/// `logGroupName` or `logGroupIdentifier`.
///
/// Errors: `ValidationException` for both, `InvalidParameterException` for
/// none, those of [`identified`].
pub fn group(members: Members<'_>, scope: &Scope) -> Result<String, ApiError> {
    match (members.text("logGroupName")?, members.text("logGroupIdentifier")?) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => identified(identifier, scope),
        (Some(_), Some(_)) => {
            let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
            Err(ApiError::new("ValidationException", message))
        }
        (None, None) => Err(invalid("One of logGroupName and logGroupIdentifier must be specified.")),
    }
}

/// The group that a `logGroupIdentifier` means: a name or an ARN.
pub fn identified(identifier: &str, scope: &Scope) -> Result<String, ApiError> {
    IDENTIFIER.check(identifier)?;
    if identifier.starts_with("arn:") {
        return by_arn(identifier, scope, IDENTIFIER.member);
    }
    Constraints::new().group_name(identifier, IDENTIFIER.member).finish()?;
    Ok(identifier.to_owned())
}

/// The group of `resourceArn`, a required member of the actions for tags.
pub fn tagged(members: Members<'_>, scope: &Scope) -> Result<String, ApiError> {
    let [arn] = super::required::texts(members, [RESOURCE_ARN.member])?;
    RESOURCE_ARN.check(arn)?;
    by_arn(arn, scope, RESOURCE_ARN.member)
}

/// `logGroupName` or `resourceIdentifier`, of the actions for KMS keys. The
/// latter may also mean all query results in AWS, but not here.
pub fn encrypted(members: Members<'_>, scope: &Scope) -> Result<String, ApiError> {
    match (members.text("logGroupName")?, members.text(RESOURCE_IDENTIFIER.member)?) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => {
            RESOURCE_IDENTIFIER.check(identifier)?;
            by_arn(identifier, scope, RESOURCE_IDENTIFIER.member)
        }
        _ => Err(invalid("Exactly one of logGroupName and resourceIdentifier must be specified.")),
    }
}

fn by_arn(text: &str, scope: &Scope, member: &str) -> Result<String, ApiError> {
    let other = || invalid(format!("'{text}' at '{member}' is not the ARN of a log group."));
    let arn: Arn = text.parse().map_err(|_| other())?;
    let name = arn.resource.strip_prefix("log-group:").filter(|_| arn.service == "logs").ok_or_else(other)?;
    Constraints::new().group_name(name, member).finish().map_err(|_| other())?;
    if arn != scope.arn("logs", arn.resource.clone()) {
        return Err(no_group());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    type Find = fn(Members<'_>, &Scope) -> Result<String, ApiError>;

    /// `expect` is the group's name, or the code and the text of the error.
    fn check(find: Find, members: Value, expect: &str) {
        let map: &Map<String, Value> = members.as_object().unwrap();
        let found = find(Members::new(map), &Scope::new("123456789012", "us-east-1"));
        let found = found.unwrap_or_else(|error| format!("{} {}", error.code, error.message));
        assert_eq!(found, expect, "{members}");
    }

    const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow";

    #[test]
    fn a_group_by_name_or_identifier() {
        check(group, json!({"logGroupName": "/vpc/flow"}), "/vpc/flow");
        check(group, json!({"logGroupIdentifier": "/vpc/flow", "logGroupName": null}), "/vpc/flow");
        check(group, json!({"logGroupIdentifier": ARN}), "/vpc/flow");
        check(
            group,
            json!({"logGroupName": "a", "logGroupIdentifier": "a"}),
            "ValidationException LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        );
        check(
            group,
            json!({}),
            "InvalidParameterException One of logGroupName and logGroupIdentifier must be specified.",
        );
        check(
            group,
            json!({"logGroupIdentifier": format!("{ARN}:*")}),
            "InvalidParameterException 1 validation error detected: Value at 'logGroupIdentifier' failed to \
             satisfy constraint: Member must satisfy regular expression pattern: [\\w#+=/:,.@-]*",
        );
        check(
            group,
            json!({"logGroupIdentifier": "a,b"}),
            "InvalidParameterException 1 validation error detected: Value 'a,b' at 'logGroupIdentifier' failed \
             to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        );
    }

    #[test]
    fn groups_of_others_are_not_found() {
        for other in [
            "arn:aws:logs:us-east-1:999999999999:log-group:/vpc/flow",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/vpc/flow",
            "arn:aws-cn:logs:us-east-1:123456789012:log-group:/vpc/flow",
        ] {
            let expect = "ResourceNotFoundException The specified log group does not exist.";
            check(group, json!({ "logGroupIdentifier": other }), expect);
            check(tagged, json!({ "resourceArn": other }), expect);
            check(encrypted, json!({ "resourceIdentifier": other }), expect);
        }
    }

    #[test]
    fn arns_of_other_things_are_refused() {
        for other in [
            "arn:aws:logs",
            "arn:aws:logs:us-east-1:123456789012:destination:d",
            "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s",
            "arn:aws:logs:us-east-1:123456789012:log-group:",
            "arn:aws:s3:us-east-1:123456789012:log-group:g",
        ] {
            let expect = format!(
                "InvalidParameterException '{other}' at 'resourceArn' is not the ARN of a log group."
            );
            check(tagged, json!({ "resourceArn": other }), &expect);
        }
        check(
            tagged,
            json!({}),
            "InvalidParameterException 1 validation error detected: Value null at 'resourceArn' failed to \
             satisfy constraint: Member must not be null",
        );
    }

    #[test]
    fn a_key_is_for_one_group() {
        check(encrypted, json!({"resourceIdentifier": ARN}), "/vpc/flow");
        let expect =
            "InvalidParameterException Exactly one of logGroupName and resourceIdentifier must be specified.";
        check(encrypted, json!({}), expect);
        check(encrypted, json!({"logGroupName": "a", "resourceIdentifier": ARN}), expect);
    }
}
