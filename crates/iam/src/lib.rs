//! IAM policy documents and their evaluation, and SigV4 verification.
