//! The memory that queries share.

use futures_util::StreamExt;
use std::sync::Arc;
use weir_query::datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use weir_query::pool::SharedPool;
use weir_query::{Engine, EngineOptions};

#[test]
fn one_operator_may_have_what_the_others_do_not_need() {
    let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(1000));
    let spiller = |name: &str| MemoryConsumer::new(name).with_can_spill(true).register(&pool);
    let (one, two, three) = (spiller("one"), spiller("two"), spiller("three"));
    let other = MemoryConsumer::new("other").register(&pool);
    // More than its share of a third, up to three quarters of all.
    assert!(one.try_grow(750).is_ok());
    assert!(one.try_grow(1).is_err());
    // What is left is for the others, each up to its share.
    assert!(two.try_grow(200).is_ok());
    assert!(three.try_grow(51).is_err());
    assert!(other.try_grow(50).is_ok());
    assert!(other.try_grow(1).is_err());
    assert_eq!(pool.reserved(), 1000);
    // The large one has spilled: shares are of what cannot be spilled.
    one.shrink(750);
    assert!(three.try_grow(316).is_ok());
    assert!(two.try_grow(184).is_ok());
    assert!(two.try_grow(1).is_err());
    drop((one, two, three, other));
    assert_eq!(pool.reserved(), 0);
}

#[test]
fn merges_leave_half_to_what_reads_them() {
    let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(1000));
    let merge = |part: usize| MemoryConsumer::new(format!("ExternalSorterMerge[{part}]")).register(&pool);
    let (one, two) = (merge(0), merge(1));
    assert!(one.try_grow(100).is_ok());
    assert!(one.try_grow(150).is_ok());
    assert!(one.try_grow(1).is_err());
    // Two files can be merged, however large they are.
    assert!(two.try_grow(200).is_ok());
    assert!(two.try_grow(200).is_ok());
    assert!(two.try_grow(200).is_err());
    drop(one);
    assert!(two.try_grow(100).is_ok());
    assert!(two.try_grow(1).is_err());
}

#[test]
fn what_does_not_fit_into_memory_is_spilled() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        EngineOptions { memory_bytes: 48 << 20, spill: Some(folder.path().to_owned()), partitions: 2 };
    let session = Engine::new(&options).unwrap().session();
    // 75 MB, in no order.
    let sql = "SELECT repeat(md5(CAST(value AS varchar)), 16) AS text FROM generate_series(1, 150000) ORDER BY text";
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut stream = session.sql(sql).await.unwrap().execute_stream().await.unwrap();
        let (mut rows, mut last, mut has_spilled) = (0, String::new(), false);
        while let Some(batch) = stream.next().await {
            let batch = batch.unwrap();
            has_spilled |= std::fs::read_dir(folder.path()).unwrap().next().is_some();
            let column = batch.column(0).clone();
            for row in [0, batch.num_rows() - 1] {
                let text = weir_query::athena::text(&column, row).unwrap();
                assert!(text.len() == 512 && text >= last);
                last = text;
            }
            rows += batch.num_rows();
        }
        assert_eq!((rows, has_spilled), (150_000, true));
    });
}
