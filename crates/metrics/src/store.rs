//! The handle: data points in memory and on disk, and the alarms over them.

use crate::alarm::Alarms;
use crate::journal::{DAY_S, Journal, Line};
use crate::point::{MetricId, Point, Scope};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use weir_types::time::UnixMillis;

/// How long data points are kept. Source: user guide, "Metrics retention":
/// one-minute points for 15 days.
pub const KEPT_DAYS: i64 = 15;

/// How long points of one second stay apart, seconds. Source: as above.
const FINE_S: i64 = 3 * 3600;

/// A data point to put.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    pub id: MetricId,
    /// See [`crate::UNITS`].
    pub unit: u8,
    pub at: UnixMillis,
    /// `StorageResolution` 1: kept by the second, not by the minute.
    pub fine: bool,
    pub point: Point,
}

/// What is known of a metric in one period and unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Where the period begins, seconds since 1970.
    pub at: i64,
    pub unit: u8,
    pub point: Point,
}

/// Sum and count of all values put since the server started.
#[derive(Debug, Clone, PartialEq)]
pub struct Total {
    pub scope: Scope,
    pub id: MetricId,
    pub count: f64,
    pub sum: f64,
}

/// All metrics and alarms of a server. Methods may wait for the disk.
pub struct Metrics {
    points: Mutex<Points>,
    pub alarms: Alarms,
}

#[derive(Default)]
struct Points {
    metrics: BTreeMap<(Scope, MetricId), Series>,
    journal: Option<Journal>,
    /// The newest day whose file was summed up.
    summed_up_to: i64,
    /// Metrics with new values since the alarms looked.
    touched: HashSet<(Scope, MetricId)>,
}

#[derive(Default)]
struct Series {
    /// By second and unit.
    points: BTreeMap<(i64, u8), Point>,
    count: f64,
    sum: f64,
    newest: i64,
}

impl Metrics {
    /// Opens the folder and reads what is kept.
    pub fn open(dir: &Path, now: UnixMillis) -> io::Result<Self> {
        let mut points = Points::default();
        let oldest = oldest_day(now);
        let journal = Journal::open(&dir.join("points"), oldest, |line| {
            points.add(&line.scope, &line.id, line.unit, line.at, &line.point, false);
        })?;
        points.journal = Some(journal);
        points.summed_up_to = today(now) - 1;
        Ok(Self { points: Mutex::new(points), alarms: Alarms::open(&dir.join("alarms.json"))? })
    }

    /// Keeps everything in memory only.
    pub fn in_memory() -> Self {
        Self { points: Mutex::default(), alarms: Alarms::in_memory() }
    }

    /// Forgets everything: the emulator's reset.
    pub fn clear(&self) {
        let mut points = self.points();
        points.metrics.clear();
        points.touched.clear();
        self.alarms.clear();
    }

    /// Adds data points. With `durable` they are on disk when this returns,
    /// otherwise at the next [`Metrics::maintain`].
    pub fn put(&self, scope: &Scope, data: &[Datum], durable: bool) -> io::Result<()> {
        let mut points = self.points();
        for datum in data {
            let step = if datum.fine { 1 } else { 60 };
            let at = datum.at.seconds().div_euclid(step) * step;
            if let Some(journal) = &mut points.journal {
                journal.append(&Line {
                    scope: scope.clone(),
                    id: datum.id.clone(),
                    unit: datum.unit,
                    at,
                    point: datum.point.clone(),
                })?;
            }
            points.add(scope, &datum.id, datum.unit, at, &datum.point, true);
        }
        match &mut points.journal {
            Some(journal) if durable => journal.sync(),
            _ => Ok(()),
        }
    }

    /// The metrics with points in the last `days`, in order.
    pub fn list(&self, scope: &Scope, since: UnixMillis) -> Vec<MetricId> {
        let since = since.seconds();
        let points = self.points();
        let found = points.metrics.iter().filter(|((of, _), series)| of == scope && series.newest >= since);
        found.map(|((_, id), _)| id.clone()).collect()
    }

    /// The points of `[start, end)`, seconds, in periods that begin at `start`;
    /// of every unit apart, or of one. Periods without points are left out.
    pub fn buckets(
        &self,
        scope: &Scope,
        id: &MetricId,
        unit: Option<u8>,
        (start, end): (i64, i64),
        period: i64,
    ) -> Vec<Bucket> {
        let points = self.points();
        let Some(series) = points.metrics.get(&(scope.clone(), id.clone())) else { return Vec::new() };
        if start >= end || period <= 0 {
            return Vec::new();
        }
        let mut found: BTreeMap<(i64, u8), Point> = BTreeMap::new();
        for ((at, of), point) in series.points.range((start, 0)..(end, 0)) {
            if unit.is_none_or(|wanted| wanted == *of)
                && let Some(point) = point.resolved()
            {
                let bucket = start + (at - start).div_euclid(period) * period;
                found.entry((bucket, *of)).or_default().add(&point);
            }
        }
        found.into_iter().map(|((at, unit), point)| Bucket { at, unit, point }).collect()
    }

    /// Of every metric that got values since the start.
    pub fn totals(&self) -> Vec<Total> {
        let points = self.points();
        let used = points.metrics.iter().filter(|(_, series)| series.count > 0.0);
        used.map(|((scope, id), series)| Total {
            scope: scope.clone(),
            id: id.clone(),
            count: series.count,
            sum: series.sum,
        })
        .collect()
    }

    /// The metrics that got values since the last call.
    pub fn take_touched(&self) -> HashSet<(Scope, MetricId)> {
        std::mem::take(&mut self.points().touched)
    }

    /// Syncs what was put, sums up old seconds and days, and forgets what is
    /// older than [`KEPT_DAYS`]. Call it every second or so.
    pub fn maintain(&self, now: UnixMillis) -> io::Result<()> {
        let mut points = self.points();
        if let Some(journal) = &mut points.journal {
            journal.sync()?;
        }
        let yesterday = today(now) - 1;
        if points.summed_up_to >= yesterday {
            return Ok(());
        }
        let oldest = oldest_day(now);
        points.sum_up(now.seconds() - FINE_S, oldest * DAY_S);
        let days = (points.summed_up_to + 1).max(oldest)..=yesterday;
        points.summed_up_to = yesterday;
        let Points { metrics, journal: Some(journal), .. } = &mut *points else { return Ok(()) };
        for day in days {
            let of_day = (day * DAY_S, 0)..((day + 1) * DAY_S, 0);
            let lines = metrics.iter().flat_map(|((scope, id), series)| {
                series.points.range(of_day.clone()).map(|((at, unit), point)| Line {
                    scope: scope.clone(),
                    id: id.clone(),
                    unit: *unit,
                    at: *at,
                    point: point.clone(),
                })
            });
            journal.rewrite(day, lines)?;
        }
        journal.forget(oldest)
    }

    fn points(&self) -> MutexGuard<'_, Points> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Points {
    fn add(&mut self, scope: &Scope, id: &MetricId, unit: u8, at: i64, point: &Point, is_new: bool) {
        let key = (scope.clone(), id.clone());
        if is_new {
            self.touched.insert(key.clone());
        }
        let series = self.metrics.entry(key).or_default();
        series.points.entry((at, unit)).or_default().add(point);
        series.newest = series.newest.max(at);
        if is_new {
            series.count += point.count;
            series.sum += point.sum;
        }
    }

    /// Seconds before `fine` become minutes; what is before `oldest` goes.
    fn sum_up(&mut self, fine: i64, oldest: i64) {
        for series in self.metrics.values_mut() {
            series.points = series.points.split_off(&(oldest, 0));
            let apart: Vec<(i64, u8)> = series
                .points
                .range(..(fine, 0))
                .map(|(key, _)| *key)
                .filter(|(at, _)| at % 60 != 0)
                .collect();
            for (at, unit) in apart {
                if let Some(point) = series.points.remove(&(at, unit)) {
                    series.points.entry((at.div_euclid(60) * 60, unit)).or_default().add(&point);
                }
            }
        }
        self.metrics.retain(|_, series| !series.points.is_empty());
    }
}

fn today(now: UnixMillis) -> i64 {
    now.seconds().div_euclid(DAY_S)
}

fn oldest_day(now: UnixMillis) -> i64 {
    today(now) - KEPT_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::NONE;
    use crate::stat::Stat;

    /// 2026-11-01T12:00:00Z
    const NOW: UnixMillis = UnixMillis(1_793_534_400_000);

    fn scope() -> Scope {
        Scope { account: "123456789012".into(), region: "us-east-1".into() }
    }

    fn id() -> MetricId {
        MetricId::new("n", "m", vec![("b".into(), "2".into()), ("a".into(), "1".into())])
    }

    fn datum(after_s: i64, value: f64) -> Datum {
        let at = UnixMillis(NOW.0 + after_s * 1000);
        Datum { id: id(), unit: NONE, at, fine: false, point: Point::of(value, 1.0) }
    }

    fn sums(metrics: &Metrics, period: i64) -> Vec<(i64, f64)> {
        let start = NOW.seconds();
        let buckets = metrics.buckets(&scope(), &id(), None, (start - 86_400 * 20, start + 86_400), period);
        buckets.iter().map(|b| (b.at - start, Stat::Sum.of(&b.point).unwrap())).collect()
    }

    #[test]
    fn points_are_kept_over_restarts_and_days() {
        let dir = tempfile::tempdir().unwrap();
        let metrics = Metrics::open(dir.path(), NOW).unwrap();
        metrics
            .put(&scope(), &[datum(0, 1.0), datum(59, 2.0), datum(60, 4.0), datum(-86_400, 8.0)], true)
            .unwrap();
        let expected = vec![(-86_400, 8.0), (0, 3.0), (60, 4.0)];
        assert_eq!(sums(&metrics, 60), expected);
        drop(metrics);
        let metrics = Metrics::open(dir.path(), NOW).unwrap();
        assert_eq!(sums(&metrics, 60), expected);
        let days = |n: i64| UnixMillis(NOW.0 + n * 86_400_000);
        metrics.maintain(days(1)).unwrap();
        drop(metrics);
        let metrics = Metrics::open(dir.path(), days(1)).unwrap();
        assert_eq!(sums(&metrics, 60), expected);
        metrics.maintain(days(15)).unwrap();
        assert_eq!(sums(&metrics, 60), expected[1..]);
        drop(metrics);
        let metrics = Metrics::open(dir.path(), days(16)).unwrap();
        assert_eq!(sums(&metrics, 60), []);
        assert_eq!(metrics.list(&scope(), UnixMillis(0)), []);
    }

    #[test]
    fn a_line_that_was_half_written_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let metrics = Metrics::open(dir.path(), NOW).unwrap();
        metrics.put(&scope(), &[datum(0, 1.0)], true).unwrap();
        drop(metrics);
        let file = dir.path().join("points/2026-11-01.jsonl");
        let mut text = std::fs::read_to_string(&file).unwrap();
        text.push_str("not JSON\n{\"o\":");
        std::fs::write(&file, text).unwrap();
        let metrics = Metrics::open(dir.path(), NOW).unwrap();
        metrics.put(&scope(), &[datum(0, 2.0)], true).unwrap();
        drop(metrics);
        assert_eq!(sums(&Metrics::open(dir.path(), NOW).unwrap(), 60), [(0, 3.0)]);
    }

    #[test]
    fn seconds_stay_apart_for_three_hours() {
        let metrics = Metrics::in_memory();
        metrics.points().summed_up_to = today(NOW) - 2;
        let fine = |after, value| Datum { fine: true, ..datum(after, value) };
        metrics.put(&scope(), &[fine(1, 1.0), fine(2, 2.0), fine(-4 * 3600 + 5, 4.0)], true).unwrap();
        metrics.maintain(NOW).unwrap();
        assert_eq!(sums(&metrics, 1), [(-4 * 3600, 4.0), (1, 1.0), (2, 2.0)]);
        assert_eq!(metrics.take_touched().len(), 1);
        assert_eq!(metrics.take_touched().len(), 0);
        assert_eq!(metrics.totals()[0].sum, 7.0);
    }
}
