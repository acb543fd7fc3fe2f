//! S3: buckets and objects in a folder of this machine, and the protocol that
//! AWS's clients speak.
//!
//! ```text
//! request ─▶ s3s: signature, XML, chunks ─▶ Gate: may the caller? ─▶ Store
//!                                                                     ├─ index.sqlite   buckets, keys, uploads
//!                                                                     └─ files/ab/abcd… the bytes of one object or part
//! ```
//!
//! An object's bytes are written to a file of their own and synced before the
//! index names them, and the index is changed in one transaction: an object that
//! was acknowledged is there after a crash, whole, and one that was not is not.
//! Files that no row names are removed at the next start.
//!
//! Not for: versions, storage classes, replication, encryption, websites. What is not
//! here answers `NotImplemented`.
//!
//! Source: Amazon S3 API reference, the page of each operation.

mod s3;
pub mod store;

pub use s3::gate::{Ask, Denied, Gate, Peer};
pub use s3::host::bucket_of;
pub use s3::lifecycle;
pub use s3::{Endpoint, HttpRequest, HttpResponse};
pub use store::Store;
