//! Delivery streams: their buffers in the data folder, who delivers them, and
//! how subscriptions of log groups reach them.

use crate::destinations::own;
use crate::server::{Config, now};
use anyhow::{Context, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::{error, warn};
use weir_api::firehose::intake::Intake;
use weir_control::State;
use weir_control::delivery_stream::DeliveryStream;
use weir_delivery::firehose::Firehose;
use weir_delivery::http::Http;
use weir_delivery::stream::buffer::Buffers;
use weir_delivery::stream::target::{Order, Target};
use weir_delivery::stream::{Parts, Streams};
use weir_forward::subscription::OwnStreams;
use weir_types::arn::Arn;

/// The principals that deliver streams, and that write to them for log groups.
const FIREHOSE_SERVICE: &str = "firehose.amazonaws.com";
const LOGS_SERVICE: &str = "logs.amazonaws.com";

/// The most bytes of all buffers.
const MAX_BYTES: u64 = 4 << 30;

/// How long an emulator's put waits for its delivery.
const FLUSH: Duration = Duration::from_secs(5);

/// Delivers until it is dropped.
pub struct DeliveryStreams {
    buffers: Arc<Buffers>,
    streams: Streams,
    own: Arc<Own>,
    delivering: JoinHandle<()>,
}

impl Drop for DeliveryStreams {
    fn drop(&mut self) {
        self.delivering.abort();
    }
}

impl DeliveryStreams {
    /// Starts on the current runtime.
    pub fn open(config: &Config, state: &Arc<State>, url: &str) -> Result<Self> {
        let buffers =
            Buffers::open(config.home.streams(), MAX_BYTES).context("cannot open the streams' buffers")?;
        let buffers = Arc::new(buffers);
        let http = Http::new().context("no TLS for what is sent to destinations")?;
        let known = state.clone();
        let streams = Streams::new(Parts {
            buffers: buffers.clone(),
            orders: Box::new(move || orders(&known)),
            config: own(state, url, FIREHOSE_SERVICE)?,
            assumes_roles: !config.emulator,
            http: http.clone(),
            now: Arc::new(now),
        });
        let delivering = tokio::spawn({
            let streams = streams.clone();
            async move { streams.run().await }
        });
        let firehose = Firehose::new(own(state, url, LOGS_SERVICE)?, http);
        Ok(Self { buffers, streams, own: Arc::new(Own { firehose }), delivering })
    }

    pub fn own(&self) -> Arc<dyn OwnStreams> {
        self.own.clone()
    }

    pub fn intake(&self) -> Arc<dyn Intake> {
        let (buffers, streams) = (self.buffers.clone(), self.streams.clone());
        Arc::new(Kept { buffers, streams, runtime: Handle::current() })
    }
}

/// All streams to which something can be delivered.
fn orders(state: &State) -> Vec<Order> {
    let all = state.transact(|tx| tx.list_everywhere::<DeliveryStream>());
    let all = all.unwrap_or_else(|error| {
        warn!(%error, "the delivery streams are not known");
        Vec::new()
    });
    let order = |stream: DeliveryStream| {
        let target = Target::of(&stream.destination)?;
        let DeliveryStream { key, name, arn, version, .. } = stream;
        Some(Order { key, name, arn, version, target })
    };
    all.into_iter().filter_map(|(_, stream)| order(stream)).collect()
}

struct Kept {
    buffers: Arc<Buffers>,
    streams: Streams,
    runtime: Handle,
}

impl Intake for Kept {
    fn put(&self, stream: &str, records: &[Vec<u8>]) -> std::result::Result<(), String> {
        self.buffers.put(stream, records, now().0).map_err(|error| weir_api::error::chain(&error))
    }

    fn forget(&self, stream: &str) {
        if let Err(error) = self.buffers.forget(stream) {
            error!(%error, "the buffer of a deleted stream cannot be removed");
        }
    }

    /// For threads that may block, as actions' threads may.
    fn flush(&self, stream: &str) {
        let flushed = async { tokio::time::timeout(FLUSH, self.streams.flush(stream)).await };
        if self.runtime.block_on(flushed).is_err() {
            warn!("a delivery stream is slow");
        }
    }
}

struct Own {
    firehose: Firehose,
}

impl OwnStreams for Own {
    fn put<'a>(
        &'a self,
        role: &'a str,
        stream: &'a str,
        records: Vec<Vec<u8>>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            let parse = |text: &str| text.parse::<Arn>().map_err(|error| error.to_string());
            let (role, stream) = (parse(role)?, parse(stream)?);
            let source = Arn::new("logs", &stream.region, &stream.account, "*").to_string();
            let put = self.firehose.put_all(&role, &stream, &source, records).await;
            put.map_err(|error| weir_api::error::chain(&error))
        })
    }
}
