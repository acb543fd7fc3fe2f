//! The embedded log store: groups, streams, durable events.
