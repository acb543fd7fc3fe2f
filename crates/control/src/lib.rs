//! The control plane: VPC resources, flow logs and principals, and their state.
