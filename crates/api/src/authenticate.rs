//! Who signed a request.
//!
//! The credential scope of the signature names service and region; the access
//! key names the principal. In emulator mode any credentials are accepted and
//! the caller is the account's root, unless the key is one that was made here.
