//! Security groups and network ACLs: rules and tracked flows to a verdict.
