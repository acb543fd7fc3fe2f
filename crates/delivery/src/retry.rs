//! When to try again, and what a failure is called.
//!
//! Everything is retried: nothing leaves the spool until it is acknowledged.
//! The kind of a failure decides what DescribeFlowLogs says and how long the
//! longest pause is.

use std::time::Duration;
use weir_types::flow_log::DeliveryError;

/// The pause after the first failure, before jitter.
const FIRST: Duration = Duration::from_secs(2);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);
/// A role that somebody repairs is to be noticed within seconds.
const LONGEST_ACCESS: Duration = Duration::from_secs(5);

/// Pauses that double with each failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure: between half of the doubled pause and
    /// all of it, as `jitter` (0 to 1) says; at least 1 s, at most 60 s, and
    /// at most 5 s when access was denied.
    pub fn next_pause(&mut self, error: DeliveryError, jitter: f64) -> Duration {
        let longest = match error {
            DeliveryError::AccessError => LONGEST_ACCESS,
            DeliveryError::RateLimited | DeliveryError::UnknownError | DeliveryError::RecordsSkipped => {
                LONGEST
            }
        };
        // 2 s doubled five times is past the longest pause.
        let doubled = FIRST.saturating_mul(1 << self.failures.min(5)).min(longest);
        self.failures = self.failures.saturating_add(1);
        let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 1.0 };
        doubled.mul_f64(0.5 + jitter / 2.0).max(SHORTEST)
    }

    /// After a success, or when the cause may have gone.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// What DescribeFlowLogs says about a failure with this AWS error code. No code
/// means that no answer came.
///
/// Sources: EC2 API, FlowLog, `DeliverLogsErrorMessage`; VPC user guide,
/// "Troubleshoot VPC Flow Logs"; the common errors of STS, CloudWatch Logs and S3.
pub fn classify(code: Option<&str>) -> DeliveryError {
    match code {
        Some(
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "NotAuthorized"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "OptInRequired"
            | "RegionDisabledException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "NoSuchBucket"
            | "AllAccessDisabled"
            | "KMS.NotFoundException"
            | "KMS.DisabledException",
        ) => DeliveryError::AccessError,
        Some(
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "SlowDown"
            | "LimitExceeded"
            | "LimitExceededException"
            | "ServiceQuotaExceededException",
        ) => DeliveryError::RateLimited,
        _ => DeliveryError::UnknownError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryError::{AccessError, RateLimited, UnknownError};

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (error, jitter, expected_s) in [
            (UnknownError, 1.0, [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
            (RateLimited, 0.0, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]),
            (UnknownError, 0.5, [1.5, 3.0, 6.0, 12.0, 24.0, 45.0, 45.0]),
            (AccessError, 1.0, [2.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0]),
            (AccessError, 0.0, [1.0, 2.0, 2.5, 2.5, 2.5, 2.5, 2.5]),
            (UnknownError, -7.0, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]),
            (UnknownError, f64::NAN, [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
        ] {
            let mut backoff = Backoff::default();
            for expected_s in expected_s {
                let pause = backoff.next_pause(error, jitter);
                assert_eq!(pause, Duration::from_secs_f64(expected_s), "{error:?} {jitter}");
            }
            backoff.reset();
            assert_eq!(backoff, Backoff::default());
        }
    }

    #[test]
    fn a_very_long_outage_does_not_overflow() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert_eq!(backoff.next_pause(UnknownError, 1.0), Duration::from_mins(1));
        assert_eq!(backoff.failures, u32::MAX);
    }

    #[test]
    fn codes_have_their_kinds() {
        for (code, kind) in [
            (Some("AccessDenied"), AccessError),
            (Some("AccessDeniedException"), AccessError),
            (Some("ExpiredTokenException"), AccessError),
            (Some("InvalidClientTokenId"), AccessError),
            (Some("UnrecognizedClientException"), AccessError),
            (Some("ThrottlingException"), RateLimited),
            (Some("LimitExceededException"), RateLimited),
            (Some("ServiceUnavailableException"), UnknownError),
            (Some("ResourceNotFoundException"), UnknownError),
            (Some("InternalFailure"), UnknownError),
            (Some(""), UnknownError),
            (None, UnknownError),
        ] {
            assert_eq!(classify(code), kind, "{code:?}");
        }
    }
}
