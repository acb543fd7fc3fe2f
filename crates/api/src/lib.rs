//! The AWS services on one endpoint: protocols, dispatch, one file per action.
