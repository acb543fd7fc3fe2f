//! Amazon Data Firehose: direct-put streams to S3 and HTTP endpoints.
//!
//! For: JSON in, JSON out, and who may do it. A record is acknowledged when
//! [`intake::Intake`] has it on disk; delivering it is `weir_delivery::stream`.
//!
//! Wire: JSON 1.1, target prefix `Firehose_20150804`. Instants are seconds since
//! 1970 with a fraction.
//!
//! Source: Amazon Data Firehose API reference.

mod create_delivery_stream;
mod delete_delivery_stream;
mod describe_delivery_stream;
mod destination;
pub mod intake;
mod list_delivery_streams;
mod list_tags_for_delivery_stream;
mod put_record;
mod put_record_batch;
mod start_delivery_stream_encryption;
mod stop_delivery_stream_encryption;
mod stream;
mod tag_delivery_stream;
mod tags;
#[cfg(test)]
mod tests;
mod untag_delivery_stream;
mod update_destination;

use crate::service::JsonAction;

/// What stands before an action's name in `X-Amz-Target`.
pub const TARGET: &str = "Firehose_20150804";

/// All actions.
pub const ACTIONS: &[JsonAction] = &[
    JsonAction { name: "CreateDeliveryStream", run: create_delivery_stream::run },
    JsonAction { name: "DeleteDeliveryStream", run: delete_delivery_stream::run },
    JsonAction { name: "DescribeDeliveryStream", run: describe_delivery_stream::run },
    JsonAction { name: "ListDeliveryStreams", run: list_delivery_streams::run },
    JsonAction { name: "ListTagsForDeliveryStream", run: list_tags_for_delivery_stream::run },
    JsonAction { name: "PutRecord", run: put_record::run },
    JsonAction { name: "PutRecordBatch", run: put_record_batch::run },
    JsonAction { name: "StartDeliveryStreamEncryption", run: start_delivery_stream_encryption::run },
    JsonAction { name: "StopDeliveryStreamEncryption", run: stop_delivery_stream_encryption::run },
    JsonAction { name: "TagDeliveryStream", run: tag_delivery_stream::run },
    JsonAction { name: "UntagDeliveryStream", run: untag_delivery_stream::run },
    JsonAction { name: "UpdateDestination", run: update_destination::run },
];
