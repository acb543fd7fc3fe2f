//! What the newer family of actions for tags is about: a log group or a
//! destination, by `resourceArn`.

use super::{arn, identify, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use std::collections::BTreeMap;

/// By name.
pub enum Tagged {
    Group(String),
    Destination(String),
}

impl Tagged {
    /// Errors: those of [`identify::tagged`].
    pub fn of(call: &Call<'_>, members: Members<'_>) -> Result<Self, ApiError> {
        let given = members.text("resourceArn")?.unwrap_or_default();
        match given.strip_prefix(&arn::destination(&call.scope, "")) {
            Some(name) => Ok(Self::Destination(name.to_owned())),
            None => identify::tagged(members, &call.scope).map(Self::Group),
        }
    }

    /// Errors: `AccessDeniedException`.
    pub fn permit(
        &self,
        call: &Call<'_>,
        action: &str,
        tags: &BTreeMap<String, String>,
        keys: &[String],
    ) -> Result<(), ApiError> {
        match self {
            Self::Group(group) => permit::tag_resource(call, action, group, tags, keys),
            Self::Destination(name) => {
                let destination = call.services.logs.log_destination(&arn::store_scope(&call.scope), name);
                let has = destination.map(|destination| destination.tags).unwrap_or_default();
                let mut context = permit::tag_context(tags, keys);
                context.extend(has.into_iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), value)));
                let context: Vec<(&str, &str)> =
                    context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                call.authorize(&format!("logs:{action}"), &arn::destination(&call.scope, name), &context)
            }
        }
    }
}
