//! Calls a function for each of many columns on a few threads, whose time is charged to the current node of the plan.

use super::metrics;
use crate::diagnostic::Result;
use crate::storage::parallel::map_indexes;

/// Returns the results of `run` for each of `0..count`, in order, or the first error in that order. Uses up to
/// `thread_count` threads.
pub(crate) fn map<T: Send>(
    thread_count: usize,
    count: usize,
    run: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    if thread_count <= 1 || count <= 1 {
        return (0..count).map(run).collect();
    }
    let node = metrics::current();
    let results = {
        // The waiting thread is not measured: its workers are.
        let _unmeasured = metrics::enter(None);
        map_indexes(thread_count, count, |index| {
            let _scope = metrics::enter(node.clone());
            run(index)
        })
    };
    results.into_iter().collect()
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
