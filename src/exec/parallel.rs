//! Runs the same function for each of many columns on a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::metrics;
use crate::diagnostic::{Error, Result};

/// The results of a thread with their indices, or the index that failed with its error.
type ThreadResults<T> = Result<Vec<(usize, T)>, (usize, Error)>;

/// Returns the result of `run` for each of `0..count` in order, or the first error in that order. Threads claim one
/// index at a time, since columns differ in cost.
pub(crate) fn map<T: Send>(
    thread_count: usize,
    count: usize,
    run: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    if thread_count <= 1 || count <= 1 {
        return (0..count).map(run).collect();
    }
    let next = AtomicUsize::new(0);
    let node = metrics::current();
    let work = || {
        let _scope = metrics::enter(node.clone());
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(done);
            }
            done.push((index, run(index).map_err(|error| (index, error))?));
        }
    };
    let threads: Vec<ThreadResults<T>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..thread_count.min(count)).map(|_| scope.spawn(work)).collect();
        let _unmeasured = metrics::enter(None);
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|_| Err((count, Error::internal("a thread stopped early"))))
        };
        workers.into_iter().map(join).collect()
    });
    let (mut all, mut failures) = (Vec::with_capacity(count), Vec::new());
    for results in threads {
        match results {
            Ok(done) => all.extend(done),
            Err(failure) => failures.push(failure),
        }
    }
    // Indices are claimed in order, so the results of all indices before a failed one are known.
    if let Some((_, error)) = failures.into_iter().min_by_key(|(index, _)| *index) {
        return Err(error);
    }
    all.sort_unstable_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::map;
    use crate::diagnostic::Error;

    #[test]
    fn results_keep_their_order_and_the_first_error_is_returned() {
        for threads in [1, 3] {
            let squares = map(threads, 100, |n| Ok(n * n)).expect("no error");
            assert!(squares.iter().enumerate().all(|(n, square)| *square == n * n));
            let failed = map(threads, 100, |n| match n {
                50 => Err(Error::Cancelled),
                51.. => Err(Error::internal("a later one")),
                _ => Ok(n),
            });
            assert!(matches!(failed, Err(Error::Cancelled)));
        }
    }
}
