//! `ConfigurationUpdates` of a workgroup. Source: Athena API,
//! `WorkGroupConfigurationUpdates`.

use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Map, Value};
use weir_control::athena::work_group::Configuration;

/// What is said is changed, the rest stays.
#[derive(Default)]
pub struct Updates {
    enforce: Option<bool>,
    metrics: Option<bool>,
    requester_pays: Option<bool>,
    minimum_encryption: Option<bool>,
    cutoff: Option<i64>,
    remove_cutoff: bool,
    result: Map<String, Value>,
}

impl Updates {
    pub fn read(members: Members<'_>) -> Result<Self, ApiError> {
        let result = members.object("ResultConfigurationUpdates")?;
        let result = result.map(|result| result.entries().map(|(k, v)| (k.to_owned(), v.clone())).collect());
        Ok(Self {
            enforce: members.boolean("EnforceWorkGroupConfiguration")?,
            metrics: members.boolean("PublishCloudWatchMetricsEnabled")?,
            requester_pays: members.boolean("RequesterPaysEnabled")?,
            minimum_encryption: members.boolean("EnableMinimumEncryptionConfiguration")?,
            cutoff: members.integer("BytesScannedCutoffPerQuery")?,
            remove_cutoff: members.boolean("RemoveBytesScannedCutoffPerQuery")?.unwrap_or(false),
            result: result.unwrap_or_default(),
        })
    }

    pub fn apply(&self, to: &mut Configuration) {
        to.enforce_work_group_configuration = self.enforce.or(to.enforce_work_group_configuration);
        to.publish_cloud_watch_metrics_enabled = self.metrics.or(to.publish_cloud_watch_metrics_enabled);
        to.requester_pays_enabled = self.requester_pays.or(to.requester_pays_enabled);
        to.enable_minimum_encryption_configuration =
            self.minimum_encryption.or(to.enable_minimum_encryption_configuration);
        to.bytes_scanned_cutoff_per_query = self.cutoff.or(to.bytes_scanned_cutoff_per_query);
        if self.remove_cutoff {
            to.bytes_scanned_cutoff_per_query = None;
        }
        if self.result.is_empty() {
            return;
        }
        let result = to.result_configuration.get_or_insert_default();
        for (name, value) in &self.result {
            match (name.strip_prefix("Remove"), name.as_str()) {
                (Some("OutputLocation"), _) if value == true => result.output_location = None,
                (Some(removed), _) if value == true => {
                    result.other.remove(removed);
                }
                (Some(_), _) => {}
                (None, "OutputLocation") => result.output_location = value.as_str().map(str::to_owned),
                (None, other) => {
                    result.other.insert(other.to_owned(), value.clone());
                }
            }
        }
    }
}
