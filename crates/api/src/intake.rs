//! Reading request bodies from clients that may be slow, endless or many.
//!
//! For: a bound on the memory and time that bodies take before anybody has
//! signed in. Not for: header lines and idle connections, which whoever owns
//! the connection bounds.
//!
//! Invariants: one body is at most [`LIMIT`] bytes, all bodies of the endpoint
//! together at most [`ROOM`]; a body must come at [`PACE`] or better after a
//! grace; no more than [`ACTIONS`] actions run at once.

use crate::error::ApiError;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The largest request body, in bytes.
pub const LIMIT: usize = 16 << 20;

/// Bytes of all bodies that are being read or worked on.
const ROOM: usize = 256 << 20;

/// Permits are counted in KiB.
const UNIT: usize = 1 << 10;

/// Bytes a second, at least, once the grace is over.
const PACE: usize = 16 << 10;

/// Actions that run at once; others wait for their turn.
const ACTIONS: usize = 128;

/// The endpoint's room for requests.
pub struct Intake {
    room: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    grace: Duration,
}

/// A body, and its room as long as it is needed.
#[derive(Debug)]
pub struct Taken {
    pub body: Bytes,
    /// Given back when dropped.
    _room: Vec<OwnedSemaphorePermit>,
}

impl Intake {
    /// `grace`: how long a body may take, whatever its size.
    pub fn new(grace: Duration) -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM / UNIT)), turns: Arc::new(Semaphore::new(ACTIONS)), grace }
    }

    /// Waits until an action may run.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.turns.clone().acquire_owned().await.ok()
    }

    /// Errors: `RequestEntityTooLarge` (413, before the body is there if its
    /// length is said), `RequestTimeout` (408), `IncompleteBody` (400),
    /// `ServiceUnavailable` (503) when there is no room.
    pub async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<Taken, ApiError> {
        let said: Option<usize> =
            headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if said.is_some_and(|length| length > LIMIT) {
            return Err(too_large());
        }
        let start = Instant::now();
        let (mut whole, mut room, mut held) = (Vec::new(), Vec::new(), 0);
        loop {
            let paced = Duration::from_secs((whole.len() / PACE) as u64);
            let frame = timeout_at(start + self.grace + paced, body.frame()).await.map_err(|_| {
                let message =
                    "Your socket connection to the server was not written to within the timeout period.";
                ApiError::new("RequestTimeout", message).with_status(408)
            })?;
            let Some(frame) = frame else { return Ok(Taken { body: whole.into(), _room: room }) };
            let frame = frame.map_err(|error| {
                let message = format!("The request body could not be read to its end: {error}");
                ApiError::new("IncompleteBody", message)
            })?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > LIMIT {
                return Err(too_large());
            }
            whole.extend_from_slice(&data);
            // At most LIMIT / UNIT.
            let wanted = (whole.len().div_ceil(UNIT) - held) as u32;
            if wanted > 0 {
                let permit = self.room.clone().try_acquire_many_owned(wanted).map_err(|_| {
                    let message = "The server is reading too many large requests. Please try again.";
                    ApiError::new("ServiceUnavailable", message).with_status(503)
                })?;
                held += permit.num_permits();
                room.push(permit);
            }
        }
    }
}

fn too_large() -> ApiError {
    let message = format!("The request body is larger than {LIMIT} bytes");
    ApiError::new("RequestEntityTooLarge", message).with_status(413)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::channel::Channel;

    const GRACE: Duration = Duration::from_secs(10);

    fn code(outcome: Result<Taken, ApiError>) -> String {
        match outcome {
            Ok(taken) => format!("{} bytes", taken.body.len()),
            Err(error) => format!("{} {}", error.status, error.code),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_whole_or_refused() {
        let intake = Intake::new(GRACE);
        let whole = |bytes: usize| Body::from(vec![0u8; bytes]);
        for (said, body, expected) in [
            (None, whole(0), "0 bytes"),
            (None, whole(LIMIT), "16777216 bytes"),
            (None, whole(LIMIT + 1), "413 RequestEntityTooLarge"),
            (Some("99999999999"), whole(0), "413 RequestEntityTooLarge"),
            (Some("99999999999999999999999"), whole(0), "0 bytes"),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(said.map(|said| (header::CONTENT_LENGTH, said.parse().unwrap())));
            assert_eq!(code(intake.read(&headers, body).await), expected);
        }
        // All rooms were given back.
        assert_eq!(intake.room.available_permits(), ROOM / UNIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_ends_when_its_time_is_over() {
        let intake = Intake::new(GRACE);
        let start = Instant::now();
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(8);
        sender.send_data(Bytes::from(vec![0; 5 * PACE])).await.unwrap();
        assert_eq!(code(intake.read(&HeaderMap::new(), Body::new(body)).await), "408 RequestTimeout");
        assert_eq!(start.elapsed().as_secs(), GRACE.as_secs() + 5);
        let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(8);
        sender.send_data(Bytes::from_static(b"half")).await.unwrap();
        sender.abort(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(code(intake.read(&HeaderMap::new(), Body::new(body)).await), "400 IncompleteBody");
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_room_for_so_many_bytes_only() {
        let intake = Intake::new(GRACE);
        let mut held = Vec::new();
        for _ in 0..ROOM / LIMIT {
            held.push(intake.read(&HeaderMap::new(), Body::from(vec![0u8; LIMIT])).await.unwrap());
        }
        assert_eq!(code(intake.read(&HeaderMap::new(), Body::from("x")).await), "503 ServiceUnavailable");
        held.pop();
        assert_eq!(code(intake.read(&HeaderMap::new(), Body::from("x")).await), "1 bytes");
    }
}
