//! Work on several items at a time: the only place that starts threads for it, besides the scheduler of queries.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The threads of [`parallel_map`].
const WORKERS: usize = 4;

/// Fewer items are processed on the calling thread.
const MIN_PARALLEL: usize = 64;

/// Returns the result of `work` for each of `0..count`, in order. Threads claim one index at a time, since items differ
/// in cost. If `work` panics, so does the call.
pub(crate) fn map_indexes<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads <= 1 || count <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let claim = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut results: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(count)).map(|_| scope.spawn(claim)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|why| std::panic::resume_unwind(why))
        };
        workers.into_iter().flat_map(join).collect()
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Returns the result of `work` for each of `items`, in order. For work that mostly waits for the system, such as
/// opening files.
pub(crate) fn parallel_map<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let threads = if items.len() < MIN_PARALLEL { 1 } else { WORKERS };
    let parts: Vec<&[I]> = items.chunks(items.len().div_ceil(threads).max(1)).collect();
    map_indexes(threads, parts.len(), |part| parts[part].iter().map(&work).collect::<Vec<T>>())
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MIN_PARALLEL, map_indexes, parallel_map};

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for count in [0, 1, MIN_PARALLEL - 1, MIN_PARALLEL, 1_001] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(parallel_map(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
            for threads in [1, 3] {
                assert_eq!(map_indexes(threads, count, |index| index), items);
            }
        }
    }
}
