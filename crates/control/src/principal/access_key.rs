//! Access keys: what requests are signed with, and whom they stand for.
//!
//! A request names its key and nothing else, so keys of all accounts rest
//! together, found by their id alone. Secrets rest in clear, because SigV4
//! needs them; the state's file is its owner's only. They are never in `Debug`.

use super::session::Session;
use super::user::User;
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::{Cx, Resource, Scope, Tx};
use serde::{Deserialize, Serialize};
use weir_iam::names::IdPrefix;
use weir_iam::{Principal, SecretAccessKey};
use weir_types::time::UnixMillis;

/// Letters of secrets and tokens.
pub(super) const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An access key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`, of a session `ASIA…`; a root key given by the operator may have
    /// another form.
    pub id: String,
    #[serde(with = "exposed")]
    pub secret: SecretAccessKey,
    pub owner: Owner,
    /// None for keys of earlier versions.
    #[serde(default)]
    pub created: Option<UnixMillis>,
    /// Requests that are signed with an inactive key are refused.
    #[serde(default = "active")]
    pub is_active: bool,
    #[serde(default)]
    pub last_use: Option<LastUse>,
}

fn active() -> bool {
    true
}

/// When and for what a key was last used, to some minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    pub at: UnixMillis,
    /// As the credential scope names it: `ec2`.
    pub service: String,
    pub region: String,
}

/// Whom an access key stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Owner {
    /// The root user of an account.
    Root { account: String },
    /// An IAM user.
    User { account: String, user_id: String },
    /// An AWS service of this server, by its principal's name.
    Service { name: String },
    /// Temporary credentials.
    Session(Box<Session>),
}

impl Resource for AccessKey {
    const KIND: &'static str = "access-key";
    /// Each delivery of records makes one: told of it, the publisher would try
    /// again at once what has just been denied, and make another.
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
    /// The account, the user's id, the service's name, or [`SESSIONS`]; these are
    /// never alike.
    fn parent(&self) -> Option<&str> {
        Some(match &self.owner {
            Owner::Root { account } => account,
            Owner::User { user_id, .. } => user_id,
            Owner::Service { name } => name,
            Owner::Session(_) => SESSIONS,
        })
    }
}

/// The parent of all sessions' keys; [`crate::State::reset`] knows it too.
pub(super) const SESSIONS: &str = "session";

/// Where keys rest: in no account.
pub(super) fn scope() -> Scope {
    Scope::new("", Scope::GLOBAL)
}

/// What sign-in needs to know of a key.
#[derive(Debug, Clone)]
pub struct Credential {
    pub secret: SecretAccessKey,
    pub principal: Principal,
    /// Of temporary credentials: token, end, session policies.
    pub session: Option<Session>,
}

/// The credential of an access key, expired sessions included. None if there is
/// no such key, it is inactive, or its user is gone.
pub fn credential(tx: &Tx<'_>, access_key_id: &str) -> Result<Option<Credential>> {
    let Some(key) = find(tx, access_key_id)?.filter(|key| key.is_active) else { return Ok(None) };
    let AccessKey { secret, owner, .. } = key;
    let (principal, session) = match owner {
        Owner::Root { account } => (Principal::Root { account }, None),
        Owner::Service { name } => (Principal::service(&name), None),
        Owner::User { account, user_id } => {
            let user: Option<User> = tx.get(&Scope::new(account, Scope::GLOBAL), &user_id)?;
            let Some(user) = user else { return Ok(None) };
            (user.principal(), None)
        }
        Owner::Session(session) => {
            let Some(principal) = session.subject.principal(tx, &session.name)? else { return Ok(None) };
            (principal, Some(*session))
        }
    };
    Ok(Some(Credential { secret, principal, session }))
}

/// The key with this id, whoever has it.
pub fn find(tx: &Tx<'_>, access_key_id: &str) -> Result<Option<AccessKey>> {
    tx.get(&scope(), access_key_id)
}

/// The access key of the account's root user, and whether it was drawn by this
/// call and has been shown to nobody yet. `wanted` (id, secret) replaces the
/// stored key; without it the stored one is kept, and one is drawn if there is none.
///
/// Errors: `ValidationError` for a wanted key that no client could use, or
/// whose id belongs to another owner.
pub fn root_access_key(
    tx: &Tx<'_>,
    account: &str,
    wanted: Option<(&str, &str)>,
) -> Result<(AccessKey, bool)> {
    let stored: Vec<AccessKey> = tx.list_in(&scope(), account)?;
    let owner = Owner::Root { account: account.to_owned() };
    let Some((id, secret)) = wanted else {
        if let Some(key) = stored.into_iter().next() {
            return Ok((key, false));
        }
        return draw(tx, IdPrefix::AccessKey, owner).map(|key| (key, true));
    };
    check_wanted(id, secret)?;
    let secret = SecretAccessKey::new(secret);
    if let [key] = stored.as_slice()
        && key.id == id
        && key.secret.matches(&secret)
    {
        return Ok((key.clone(), false));
    }
    for old in &stored {
        tx.delete::<AccessKey>(&scope(), &old.id)?;
    }
    if tx.get::<AccessKey>(&scope(), id)?.is_some() {
        let message = format!("the access key id {id} is in use; choose another one for the root user");
        return Err(ControlError::fault("ValidationError", message));
    }
    let key = AccessKey { id: id.to_owned(), secret, owner, created: None, is_active: true, last_use: None };
    tx.put(&scope(), &key)?;
    Ok((key, false))
}

/// The key that a service of this server signs with, such as
/// `vpc-flow-logs.amazonaws.com`; made at first need.
pub fn service_access_key(tx: &Tx<'_>, name: &str) -> Result<AccessKey> {
    match tx.list_in(&scope(), name)?.pop() {
        Some(key) => Ok(key),
        None => draw(tx, IdPrefix::AccessKey, Owner::Service { name: name.to_owned() }),
    }
}

/// Makes a key that nobody has had.
pub(super) fn draw(tx: &Tx<'_>, prefix: IdPrefix, owner: Owner) -> Result<AccessKey> {
    let secret = SecretAccessKey::new(random::text(40, SECRET_ALPHABET)?);
    let id = prefix.id(random::bits()?);
    let key = AccessKey { id, secret, owner, created: None, is_active: true, last_use: None };
    tx.put(&scope(), &key)?;
    Ok(key)
}

/// The keys of a user, the oldest first.
pub(super) fn of_user(cx: Cx<'_>, user_id: &str) -> Result<Vec<AccessKey>> {
    let mut keys: Vec<AccessKey> = cx.tx.list_in(&scope(), user_id)?;
    keys.sort_by_key(|key| key.created);
    Ok(keys)
}

/// The id stands in a header between `=` and `/`, so it must be plain.
fn check_wanted(id: &str, secret: &str) -> Result<()> {
    let is_plain =
        (16..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_plain {
        let message = format!("'{id}' is not an access key id: use 16 to 128 letters, digits and '_'");
        return Err(ControlError::fault("ValidationError", message));
    }
    if secret.len() < 8 || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        let message = "the wanted secret access key is too weak or has characters that clients refuse: use at least 8 printable ASCII characters without blanks";
        return Err(ControlError::fault("ValidationError", message));
    }
    Ok(())
}

/// A secret as plain text in the state.
mod exposed {
    use serde::{Deserialize, Deserializer, Serializer};
    use weir_iam::SecretAccessKey;

    pub fn serialize<S: Serializer>(secret: &SecretAccessKey, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretAccessKey, D::Error> {
        String::deserialize(from).map(SecretAccessKey::new)
    }
}
