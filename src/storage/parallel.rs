//! Processes several items at a time, with rayon. Work that waits for a queue or channel must not run here, because a
//! worker of rayon that waits stops the pool; such work has its own threads (`exec::scheduler`, `convert::prefetch`,
//! `convert::runs`).

use std::sync::{Arc, Mutex, PoisonError};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Number of threads of [`parallel_map`].
const WORKERS: usize = 4;

/// If there are fewer items, the calling thread processes them.
const MIN_PARALLEL: usize = 64;

/// The pool of the last call. It is kept, because most calls need as many threads as the one before, and their work
/// is short.
static POOL: Mutex<Option<Arc<ThreadPool>>> = Mutex::new(None);

/// Returns the result of `work` for each of `0..count`, in order. Threads take one index at a time, because the items
/// take different times. If `work` panics, this function panics, too.
pub(crate) fn map_indexes<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    // A worker that waited for other threads would take up a job of its own pool, perhaps one that blocks.
    let is_worker = rayon::current_thread_index().is_some();
    match (threads > 1 && count > 1 && !is_worker).then(|| pool(threads)).flatten() {
        Some(pool) => pool.install(|| (0..count).into_par_iter().with_max_len(1).map(&work).collect()),
        None => (0..count).map(work).collect(),
    }
}

/// Returns a pool of `threads` threads; None if the system does not start them.
fn pool(threads: usize) -> Option<Arc<ThreadPool>> {
    let mut last = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = last.as_ref().filter(|pool| pool.current_num_threads() == threads) {
        return Some(Arc::clone(pool));
    }
    let pool = Arc::new(ThreadPoolBuilder::new().num_threads(threads).build().ok()?);
    *last = Some(Arc::clone(&pool));
    Some(pool)
}

/// Returns the result of `work` for each of `items`, in order. It is meant for work that mostly waits for the system,
/// such as opening files.
pub(crate) fn parallel_map<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let threads = if items.len() < MIN_PARALLEL { 1 } else { WORKERS };
    map_indexes(threads, items.len(), |index| work(&items[index]))
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
