//! AWS's actions that are not here, and why: the answer is
//! `InvalidOperationException` with the reason, where an action that nobody knows
//! is `UnknownOperationException`.

use crate::error::ApiError;

const REFUSED: &[(&[&str], &str)] = &[
    (
        &[
            "CreateDelivery",
            "DeleteDelivery",
            "DeleteDeliveryDestination",
            "DeleteDeliveryDestinationPolicy",
            "DeleteDeliverySource",
            "DescribeConfigurationTemplates",
            "DescribeDeliveries",
            "DescribeDeliveryDestinations",
            "DescribeDeliverySources",
            "GetDelivery",
            "GetDeliveryDestination",
            "GetDeliveryDestinationPolicy",
            "GetDeliverySource",
            "PutDeliveryDestination",
            "PutDeliveryDestinationPolicy",
            "PutDeliverySource",
            "UpdateDeliveryConfiguration",
        ],
        "no service here delivers logs that way; VPC flow logs are made with ec2:CreateFlowLogs",
    ),
    (
        &[
            "CreateLogAnomalyDetector",
            "DeleteLogAnomalyDetector",
            "GetLogAnomalyDetector",
            "ListAnomalies",
            "ListLogAnomalyDetectors",
            "UpdateAnomaly",
            "UpdateLogAnomalyDetector",
        ],
        "there are no anomaly detectors; a metric filter with an alarm watches for what a pattern says",
    ),
    (
        &["DeleteAccountPolicy", "DescribeAccountPolicies", "PutAccountPolicy"],
        "there are no policies for all groups of an account; set filters, retention and index policies on each group",
    ),
    (
        &["DeleteDataProtectionPolicy", "GetDataProtectionPolicy", "PutDataProtectionPolicy"],
        "nothing is masked in log events",
    ),
    (
        &["DeleteTransformer", "GetTransformer", "PutTransformer", "TestTransformer"],
        "log events are kept as they were put; Insights and queries parse them",
    ),
    (
        &["DeleteIntegration", "GetIntegration", "ListIntegrations", "PutIntegration"],
        "there are no integrations; a subscription filter to weir:opensearch:URL/INDEX sends events to OpenSearch",
    ),
    (
        &[
            "CreateScheduledQuery",
            "DeleteScheduledQuery",
            "GetScheduledQuery",
            "GetScheduledQueryHistory",
            "ListScheduledQueries",
            "UpdateScheduledQuery",
        ],
        "queries are not scheduled; start them with StartQuery",
    ),
];

/// The error for an action that is not here on purpose.
pub fn error(action: &str) -> Option<ApiError> {
    let (_, why) = REFUSED.iter().find(|(actions, _)| actions.contains(&action))?;
    Some(ApiError::new("InvalidOperationException", format!("{action} is not supported: {why}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_not_there() {
        for (actions, _) in REFUSED {
            for action in *actions {
                assert!(super::super::ACTIONS.iter().all(|known| known.name != *action), "{action}");
                assert_eq!(error(action).unwrap().code, "InvalidOperationException");
            }
        }
        assert!(error("PutLogEvents").is_none());
        assert!(error("PutEverything").is_none());
    }
}
