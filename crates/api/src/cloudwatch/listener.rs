//! From log events to metrics: what metric filters give, and CloudWatch Logs'
//! own `IncomingLogEvents` and `IncomingBytes`.

use std::sync::Arc;
use weir_logs::limits::EVENT_OVERHEAD_BYTES;
use weir_logs::{Listener, Stored};
use weir_metrics::{Datum, MetricId, Metrics, NONE, Point, Scope, unit_number};
use weir_types::time::UnixMillis;

/// Hears of stored batches.
pub struct LogMetrics(pub Arc<Metrics>);

impl Listener for LogMetrics {
    fn stored(&self, batch: &Stored<'_>) {
        let mut data = incoming(batch);
        for sample in batch.metric_samples() {
            let mut point = sample.default.map(Point::of_default).unwrap_or_default();
            for value in &sample.values {
                point.add(&Point::of(*value, 1.0));
            }
            data.push(Datum {
                id: MetricId::new(&sample.namespace, &sample.name, sample.dimensions),
                unit: sample.unit.as_deref().and_then(unit_number).unwrap_or(NONE),
                at: UnixMillis(sample.minute),
                fine: false,
                point,
            });
        }
        let scope = Scope { account: batch.scope.account.clone(), region: batch.scope.region.clone() };
        if let Err(error) = self.0.put(&scope, &data, false) {
            tracing::error!(%error, group = batch.group, "metrics of log events cannot be kept");
        }
    }
}

/// Source: CloudWatch Logs user guide, "Monitoring with CloudWatch metrics".
fn incoming(batch: &Stored<'_>) -> Vec<Datum> {
    let bytes: usize = batch.events.iter().map(|event| event.message.len() + EVENT_OVERHEAD_BYTES).sum();
    let of = |name: &str, unit: u8, value: f64, count: f64| Datum {
        id: MetricId::new("AWS/Logs", name, vec![("LogGroupName".to_owned(), batch.group.to_owned())]),
        unit,
        at: batch.ingestion,
        fine: false,
        point: Point::of_set(count, value, value / count, value / count),
    };
    let count = batch.events.len() as f64;
    vec![
        of("IncomingBytes", unit_number("Bytes").unwrap_or(NONE), bytes as f64, 1.0),
        of("IncomingLogEvents", NONE, count, 1.0),
    ]
}
