//! Spool and publishers: windows of records to their destination, acknowledged or retried.
