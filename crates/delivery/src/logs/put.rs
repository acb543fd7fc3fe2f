//! One PutLogEvents, and the group and stream that it may need first.

use super::batch::Batch;
use crate::destination::SendError;
use crate::retry::classify;
use crate::spool::Header;
use aws_sdk_cloudwatchlogs as cloudwatchlogs;
use cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use cloudwatchlogs::operation::create_log_group::CreateLogGroupError;
use cloudwatchlogs::operation::create_log_stream::CreateLogStreamError;
use cloudwatchlogs::operation::put_log_events::PutLogEventsError;
use cloudwatchlogs::types::{InputLogEvent, RejectedLogEventsInfo};
use std::error::Error;
use weir_types::flow_log::DeliveryError;

/// One batch on its way.
pub(super) struct Put<'a> {
    pub logs: &'a cloudwatchlogs::Client,
    pub header: &'a Header,
    pub log_group: &'a str,
    pub batch: &'a Batch<'a>,
}

impl Put<'_> {
    /// Sends the batch, and makes group and stream if they are missing.
    /// The number of events that were rejected.
    pub async fn run(&self) -> Result<u64, SendError> {
        match self.put().await {
            Err(error) if is_code(&error, "ResourceNotFoundException") => {
                self.create_stream().await?;
                self.put().await
            }
            other => other,
        }
    }

    async fn put(&self) -> Result<u64, SendError> {
        let Batch { number, stream, events } = self.batch;
        let input = events.iter().map(|event| {
            InputLogEvent::builder().timestamp(event.timestamp.0).message(&event.message).build()
        });
        let input = input.collect::<Result<Vec<_>, _>>().map_err(|error| SendError {
            kind: DeliveryError::UnknownError,
            operation: "logs:PutLogEvents",
            object: self.object(),
            code: None,
            source: Some(Box::new(error)),
        })?;
        let Header { flow_log, window_end_s, part, .. } = self.header;
        let answer = self
            .logs
            .put_log_events()
            .log_group_name(self.log_group)
            .log_stream_name(*stream)
            // AWS ignores it. Weir's own endpoint drops a repeat with the same one.
            .sequence_token(format!("weir:{flow_log}:{window_end_s}:{part:016x}:{number}"))
            .set_log_events(Some(input))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(error)) if error.err().is_data_already_accepted_exception() => {
                return Ok(0);
            }
            Err(error) => return Err(self.error::<PutLogEventsError>("logs:PutLogEvents", error)),
        };
        let rejected = answer.rejected_log_events_info().map_or(0, |info| rejected(info, events.len()));
        if rejected > 0 {
            tracing::warn!(
                %flow_log, log_group = self.log_group, stream, rejected,
                "CloudWatch Logs rejected records that are too old or too new"
            );
        }
        Ok(rejected)
    }

    async fn create_stream(&self) -> Result<(), SendError> {
        match self.create_stream_in_group().await {
            Err(error) if is_code(&error, "ResourceNotFoundException") => {
                self.create_group().await?;
                self.create_stream_in_group().await
            }
            other => other,
        }
    }

    async fn create_stream_in_group(&self) -> Result<(), SendError> {
        let create = self.logs.create_log_stream().log_group_name(self.log_group);
        match create.log_stream_name(self.batch.stream).send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_resource_already_exists_exception() => {
                Ok(())
            }
            Err(error) => Err(self.error::<CreateLogStreamError>("logs:CreateLogStream", error)),
            Ok(_) => Ok(()),
        }
    }

    async fn create_group(&self) -> Result<(), SendError> {
        match self.logs.create_log_group().log_group_name(self.log_group).send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_resource_already_exists_exception() => {
                Ok(())
            }
            Err(error) => Err(self.error::<CreateLogGroupError>("logs:CreateLogGroup", error)),
            Ok(_) => Ok(()),
        }
    }

    fn object(&self) -> String {
        format!("{}:{}", self.log_group, self.batch.stream)
    }

    fn error<E>(&self, operation: &'static str, error: SdkError<E>) -> SendError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        send_error(operation, self.object(), error)
    }
}

fn is_code(error: &SendError, code: &str) -> bool {
    error.code.as_deref() == Some(code)
}

/// An SDK's error with its kind and code.
pub(crate) fn send_error<E>(operation: &'static str, object: String, error: SdkError<E>) -> SendError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = error.code().map(str::to_owned);
    SendError { kind: classify(code.as_deref()), operation, object, code, source: Some(Box::new(error)) }
}

/// How many of `events` an answer rejects: a head that is too old or past its
/// retention, and a tail that is too new.
fn rejected(info: &RejectedLogEventsInfo, events: usize) -> u64 {
    let index = |index: Option<i32>| index.and_then(|index| usize::try_from(index).ok());
    let head = index(info.too_old_log_event_end_index())
        .max(index(info.expired_log_event_end_index()))
        .unwrap_or(0)
        .min(events);
    let tail = index(info.too_new_log_event_start_index()).map_or(0, |start| events.saturating_sub(start));
    (head + tail).min(events) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_events_are_counted_at_both_ends() {
        for (too_old, expired, too_new, events, expected) in [
            (None, None, None, 9, 0),
            (Some(2), None, None, 9, 2),
            (Some(2), Some(4), None, 9, 4),
            (None, None, Some(7), 9, 2),
            (Some(1), None, Some(7), 9, 3),
            (Some(9), None, Some(0), 9, 9),
            (Some(-1), None, Some(99), 9, 0),
        ] {
            let info = RejectedLogEventsInfo::builder()
                .set_too_old_log_event_end_index(too_old)
                .set_expired_log_event_end_index(expired)
                .set_too_new_log_event_start_index(too_new)
                .build();
            assert_eq!(rejected(&info, events), expected, "{info:?}");
        }
    }
}
