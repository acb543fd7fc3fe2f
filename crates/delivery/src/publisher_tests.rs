use super::*;
use crate::destination::Receipt;
use crate::spool::{Header, SpoolFile};
use std::collections::VecDeque;
use std::fs;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use weir_types::orders;

/// What the place for records does with the next file of a flow log.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Take,
    TakeAfter(Duration),
    Fail(DeliveryError),
    Hang,
}

/// A destination in memory. A flow log without answers left is taken.
#[derive(Clone, Default)]
struct Place {
    answers: Arc<Mutex<HashMap<FlowLogId, VecDeque<Answer>>>>,
    /// Flow log, window end, time of the try.
    tries: Arc<Mutex<Vec<(FlowLogId, i64, Instant)>>>,
}

impl Place {
    fn will(&self, log: u8, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.answers).entry(flow_log(log)).or_default().extend(answers);
    }

    fn windows(&self, log: u8) -> Vec<i64> {
        lock(&self.tries).iter().filter(|(id, ..)| *id == flow_log(log)).map(|&(_, end, _)| end).collect()
    }

    /// Seconds between one try and the next.
    fn pauses_s(&self, log: u8) -> Vec<f64> {
        let tries = lock(&self.tries);
        let times: Vec<Instant> =
            tries.iter().filter(|(id, ..)| *id == flow_log(log)).map(|&(.., at)| at).collect();
        times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs_f64()).collect()
    }
}

impl Destination for Place {
    async fn send(&self, file: &SpoolFile) -> Result<Receipt, SendError> {
        let Header { flow_log, window_end_s, .. } = &file.header;
        lock(&self.tries).push((flow_log.clone(), *window_end_s, Instant::now()));
        let answer = lock(&self.answers).get_mut(flow_log).and_then(VecDeque::pop_front);
        match answer.unwrap_or(Answer::Take) {
            Answer::Take => {}
            Answer::TakeAfter(pause) => sleep(pause).await,
            Answer::Hang => std::future::pending().await,
            Answer::Fail(kind) => {
                return Err(SendError {
                    kind,
                    operation: "logs:PutLogEvents",
                    object: "group:stream".to_owned(),
                    code: Some("Code".to_owned()),
                    source: Some("because".into()),
                });
            }
        }
        Ok(Receipt { delivered: file.events() as u64, rejected: 0 })
    }
}

fn flow_log(n: u8) -> FlowLogId {
    FlowLogId::from_random(n.into())
}

fn file(log: u8, window_end_s: i64) -> SpoolFile {
    let mut file = SpoolFile::new(Header {
        flow_log: flow_log(log),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        destination: orders::Destination::CloudWatchLogs {
            log_group: "g".to_owned(),
            role: "arn:aws:iam::123456789012:role/r".parse().unwrap(),
        },
        window_start_s: window_end_s - 60,
        window_end_s,
        part: 0,
        created: UnixMillis(0),
        log_format: None,
        skipped: None,
    });
    file.push("eni-0-all", UnixMillis(0), "record");
    file
}

struct World {
    dir: TempDir,
    spool: Arc<Spool>,
    place: Place,
    publisher: Publisher<Place>,
    statuses: UnboundedReceiver<DeliveryStatus>,
    running: tokio::task::JoinHandle<()>,
}

impl World {
    /// A publisher that runs on a spool with these files, one for each flow log and window.
    fn new(place: Place, files: &[(u8, i64)]) -> Self {
        let dir = TempDir::new().unwrap();
        let spool = Arc::new(Spool::open(dir.path(), 1 << 20).unwrap());
        for &(log, window_end_s) in files {
            spool.write(&file(log, window_end_s)).unwrap();
        }
        let (sender, statuses) = unbounded_channel();
        let sink = move |status| sender.send(status).unwrap_or_default();
        let publisher = Publisher::new(Arc::clone(&spool), place.clone(), sink);
        let running = tokio::spawn({
            let publisher = publisher.clone();
            async move { publisher.run().await }
        });
        Self { dir, spool, place, publisher, statuses, running }
    }

    async fn status(&mut self) -> (FlowLogId, Result<(), DeliveryError>) {
        let status = self.statuses.recv().await.unwrap();
        (status.flow_log, status.result)
    }

    /// Lets time pass until the spool is empty.
    async fn emptied(&self) {
        while !self.spool.flow_logs().is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn stopped(self) {
        self.publisher.stop();
        self.running.await.unwrap();
    }
}

use DeliveryError::{AccessError, RateLimited, UnknownError};

#[tokio::test(start_paused = true)]
async fn files_go_in_window_order_and_the_first_success_is_reported_once() {
    let mut world = World::new(Place::default(), &[(1, 180), (1, 60), (1, 120)]);
    assert_eq!(world.status().await, (flow_log(1), Ok(())));
    world.emptied().await;
    world.spool.write(&file(1, 240)).unwrap();
    world.emptied().await;
    assert_eq!(world.place.windows(1), [60, 120, 180, 240]);
    assert!(world.statuses.try_recv().is_err());
    world.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_flow_log_that_fails_holds_up_no_other_and_recovers() {
    let place = Place::default();
    place.will(1, [Answer::Fail(AccessError); 40]);
    let mut world = World::new(place, &[(1, 60), (1, 120), (2, 60)]);
    let mut first = [world.status().await, world.status().await];
    first.sort_unstable_by_key(|(id, _)| id.clone());
    assert_eq!(first, [(flow_log(1), Err(AccessError)), (flow_log(2), Ok(()))]);
    // Forty failures are one report, and every pause is one in which a repair is noticed.
    assert_eq!(world.status().await, (flow_log(1), Ok(())));
    world.emptied().await;
    assert_eq!(world.place.windows(1), [[60; 41].as_slice(), &[120]].concat());
    assert!(world.place.pauses_s(1).iter().take(40).all(|&s| (1.0..=5.1).contains(&s)));
    world.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_every_change_is_reported() {
    let place = Place::default();
    place.will(1, [Answer::Fail(UnknownError); 8]);
    place.will(1, [Answer::Fail(RateLimited), Answer::Take, Answer::Fail(UnknownError)]);
    let mut world = World::new(place, &[(1, 60), (1, 120)]);
    for expected in [Err(UnknownError), Err(RateLimited), Ok(()), Err(UnknownError), Ok(())] {
        assert_eq!(world.status().await, (flow_log(1), expected));
    }
    let pauses = world.place.pauses_s(1);
    for (i, longest) in [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0].into_iter().enumerate() {
        assert!((longest / 2.0..=longest + 0.1).contains(&pauses[i]), "{i}: {pauses:?}");
    }
    // A success begins anew: the next window at once, its failure with a short pause.
    assert!(pauses[9] < 0.1 && pauses[10] <= 2.1, "{pauses:?}");
    world.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn retry_now_ends_a_pause() {
    let place = Place::default();
    place.will(1, [Answer::Fail(UnknownError); 7]);
    let mut world = World::new(place, &[(1, 60)]);
    assert_eq!(world.status().await.1, Err(UnknownError));
    while world.place.windows(1).len() < 7 {
        sleep(Duration::from_secs(1)).await;
    }
    // The pause is half a minute at least by now.
    world.publisher.retry_now();
    let before = Instant::now();
    assert_eq!(world.status().await.1, Ok(()));
    assert!(before.elapsed() < Duration::from_secs(1));
    world.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_people_what_failed() {
    let place = Place::default();
    place.will(1, [Answer::Fail(AccessError)]);
    let mut world = World::new(place, &[(1, 60)]);
    let status = world.statuses.recv().await.unwrap();
    assert_eq!(status.detail, "failed to logs:PutLogEvents on group:stream: Code: because");
    world.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_flow_log_is_broken_off_and_leaves_nothing() {
    let place = Place::default();
    place.will(1, [Answer::Hang]);
    let mut world = World::new(place, &[(1, 60), (1, 120)]);
    while world.place.windows(1).is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    world.publisher.forget(&flow_log(1)).unwrap();
    world.spool.write(&file(1, 180)).unwrap();
    world.spool.write(&file(2, 60)).unwrap();
    assert_eq!(world.status().await, (flow_log(2), Ok(())));
    world.emptied().await;
    assert_eq!(world.place.windows(1), [60]);
    assert!(!world.dir.path().join(flow_log(1).as_str()).exists());
    world.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_torn_file_is_passed_over() {
    let place = Place::default();
    place.will(1, [Answer::Fail(UnknownError)]);
    let world = World::new(place, &[(1, 60), (1, 120)]);
    let torn = world.dir.path().join(flow_log(1).as_str()).join("000000000060-0000000000000000.spool");
    while world.place.windows(1).is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    fs::write(&torn, "half").unwrap();
    world.emptied().await;
    assert_eq!(world.place.windows(1), [60, 120]);
    assert!(torn.with_extension("spool.bad").exists());
    world.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_under_way_and_begins_nothing() {
    let place = Place::default();
    place.will(1, [Answer::TakeAfter(Duration::from_secs(3))]);
    let world = World::new(place, &[(1, 60), (1, 120)]);
    while world.place.windows(1).is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    let (spool, place) = (Arc::clone(&world.spool), world.place.clone());
    world.stopped().await;
    assert_eq!(place.windows(1), [60]);
    assert_eq!(spool.first(&flow_log(1)).unwrap().window_end_s(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever_and_the_next_start_delivers() {
    let place = Place::default();
    place.will(1, [Answer::Hang]);
    place.will(2, [Answer::Fail(UnknownError)]);
    let world = World::new(place, &[(1, 60), (2, 60)]);
    while world.place.windows(1).is_empty() || world.place.windows(2).is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    let before = Instant::now();
    world.publisher.stop();
    world.running.await.unwrap();
    assert!(before.elapsed() <= STOP_GRACE + Duration::from_secs(1));

    let spool = Arc::new(Spool::open(world.dir.path(), 1 << 20).unwrap());
    let (place, sink) = (Place::default(), |_: DeliveryStatus| {});
    let publisher = Publisher::new(Arc::clone(&spool), place.clone(), sink);
    let running = tokio::spawn({
        let publisher = publisher.clone();
        async move { publisher.run().await }
    });
    while !spool.flow_logs().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    publisher.stop();
    running.await.unwrap();
    assert_eq!((place.windows(1), place.windows(2)), (vec![60], vec![60]));
}
