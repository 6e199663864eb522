//! The same work on each of many columns, shared among a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::metrics;
use crate::diagnostic::{Error, Result};

/// What a thread made, with its numbers, or the number that failed.
type Part<T> = Result<Vec<(usize, T)>, (usize, Error)>;

/// What `run` gives for each of `0..count`, in that order, or the first error in that order. Threads take the next number
/// as they get free, since columns differ in their cost.
pub(crate) fn map<T: Send>(threads: usize, count: usize, run: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    if threads <= 1 || count <= 1 {
        return (0..count).map(run).collect();
    }
    let next = AtomicUsize::new(0);
    let at_work = metrics::at_work();
    let work = || {
        let _working = metrics::work_for(at_work.clone());
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(done);
            }
            done.push((index, run(index).map_err(|error| (index, error))?));
        }
    };
    let parts: Vec<Part<T>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(count)).map(|_| scope.spawn(work)).collect();
        let _waiting = metrics::work_for(None);
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|_| Err((count, Error::internal("a thread stopped early"))))
        };
        workers.into_iter().map(join).collect()
    });
    let (mut all, mut failures) = (Vec::with_capacity(count), Vec::new());
    for part in parts {
        match part {
            Ok(done) => all.extend(done),
            Err(failure) => failures.push(failure),
        }
    }
    // All in front of a number that failed were taken, so that theirs are known.
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
    fn results_keep_their_order_and_errors_end_the_work() {
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
