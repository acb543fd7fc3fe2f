//! The key with which the server seals what only it may read again, such as the
//! messages of denials.

use super::access_key::scope;
use crate::error::Result;
use crate::random;
use crate::state::{Resource, Tx};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct MessageKey {
    id: String,
    /// Two random numbers of 128 bits.
    secret: [u128; 2],
}

impl Resource for MessageKey {
    const KIND: &'static str = "message-key";
    fn id(&self) -> &str {
        &self.id
    }
}

const ID: &str = "authorization-message";

/// The key, 32 random bytes, made at first need. It rests in no account.
pub fn message_key(tx: &Tx<'_>) -> Result<[u8; 32]> {
    let key = match tx.get::<MessageKey>(&scope(), ID)? {
        Some(key) => key,
        None => {
            let key = MessageKey { id: ID.to_owned(), secret: [random::bits()?, random::bits()?] };
            tx.put(&scope(), &key)?;
            key
        }
    };
    let mut bytes = [0; 32];
    let (first, second) = bytes.split_at_mut(16);
    first.copy_from_slice(&key.secret[0].to_le_bytes());
    second.copy_from_slice(&key.secret[1].to_le_bytes());
    Ok(bytes)
}
