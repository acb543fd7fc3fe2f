//! Client tokens: a create that is asked for twice with one token is done once.
//!
//! The answer of the first is kept for a day and given again. A token belongs
//! to an account, a region and an action.
//!
//! Source: EC2 API, "Ensuring idempotency in Amazon EC2 API requests".

use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use weir_types::time::UnixMillis;

const DAY_S: i64 = 24 * 60 * 60;

/// A token that was used.
#[derive(Serialize, Deserialize)]
struct Used {
    /// `action/token`
    id: String,
    /// The request and its answer, as JSON texts.
    request: String,
    answer: String,
    at: UnixMillis,
}

impl Resource for Used {
    const KIND: &'static str = "client-token";
    fn id(&self) -> &str {
        &self.id
    }
}

/// When expired tokens were last removed.
#[derive(Serialize, Deserialize)]
struct Swept {
    day: i64,
}

impl Resource for Swept {
    const KIND: &'static str = "client-token-sweep";
    fn id(&self) -> &str {
        "last"
    }
}

/// Runs `create`, or answers what it answered when the token was first used.
///
/// Errors: `IdempotentParameterMismatch` if the first request was another;
/// `InvalidParameterValue` for a token that is too long or not ASCII.
pub fn once<T: Serialize + DeserializeOwned>(
    cx: Cx<'_>,
    action: &str,
    token: Option<&str>,
    request: &impl Serialize,
    create: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let Some(token) = token else { return create() };
    if token.len() > 64 || !token.is_ascii() {
        let message = format!("Invalid client token '{token}': use at most 64 ASCII characters");
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    let id = format!("{action}/{token}");
    let unreadable = |source| ControlError::Unreadable { kind: Used::KIND, id: id.clone(), source };
    let request = serde_json::to_string(request).map_err(unreadable)?;
    let used: Option<Used> = cx.tx.get(cx.scope, &id)?;
    if let Some(used) = used.filter(|used| used.at.plus_seconds(DAY_S) > cx.now) {
        if used.request != request {
            let message = format!(
                "The request uses the client token '{token}' of an earlier request, but with other parameters"
            );
            return Err(ControlError::fault("IdempotentParameterMismatch", message));
        }
        return serde_json::from_str(&used.answer).map_err(unreadable);
    }
    sweep(cx)?;
    let answer = create()?;
    let text = serde_json::to_string(&answer).map_err(unreadable)?;
    cx.tx.put(cx.scope, &Used { id: id.clone(), request, answer: text, at: cx.now })?;
    Ok(answer)
}

/// Removes expired tokens, once a day.
fn sweep(cx: Cx<'_>) -> Result<()> {
    let day = cx.now.seconds().div_euclid(DAY_S);
    if cx.tx.get::<Swept>(cx.scope, "last")?.is_some_and(|swept| swept.day == day) {
        return Ok(());
    }
    for used in cx.tx.list::<Used>(cx.scope)? {
        if used.at.plus_seconds(DAY_S) <= cx.now {
            cx.tx.delete::<Used>(cx.scope, &used.id)?;
        }
    }
    cx.tx.put(cx.scope, &Swept { day })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Scope, State};

    #[test]
    fn a_token_answers_once_for_a_day() {
        let state = State::in_memory().unwrap();
        let scope = Scope::new("123456789012", "us-east-1");
        let runs = std::cell::Cell::new(0);
        let ask = |token: Option<&str>, request: &str, at_s: i64| -> Result<u32> {
            state.transact(|tx| {
                let cx = Cx { tx, scope: &scope, now: UnixMillis::from_seconds(at_s) };
                once(cx, "Create", token, &request, || {
                    runs.set(runs.get() + 1);
                    Ok(runs.get())
                })
            })
        };
        assert_eq!(ask(Some("t"), "a", 0).unwrap(), 1);
        assert_eq!(ask(Some("t"), "a", 1).unwrap(), 1);
        assert_eq!(ask(Some("u"), "a", 1).unwrap(), 2);
        assert_eq!(ask(None, "a", 1).unwrap(), 3);
        let mismatch = ask(Some("t"), "b", 1).unwrap_err();
        assert!(matches!(mismatch, ControlError::Fault { code: "IdempotentParameterMismatch", .. }));
        assert!(ask(Some(&"x".repeat(65)), "a", 1).is_err());
        assert_eq!(ask(Some("t"), "a", DAY_S).unwrap(), 4);
        state
            .transact(|tx| {
                // The sweep of the second day kept what was younger than a day.
                let left: Vec<String> = tx.list::<Used>(&scope)?.into_iter().map(|used| used.id).collect();
                assert_eq!(left, ["Create/t", "Create/u"]);
                Ok::<_, ControlError>(())
            })
            .unwrap();
    }
}
