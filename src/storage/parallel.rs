//! Work on many files that mostly waits for the system, several at a time.

/// How many at a time.
const WORKERS: usize = 4;

/// Fewer items are worked on one after the other.
const FEW: usize = 64;

/// What `work` makes of each of `items`, in their order.
pub(crate) fn parallel_map<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    if items.len() < FEW {
        return items.iter().map(work).collect();
    }
    let work = &work;
    std::thread::scope(|scope| {
        let parts = items.chunks(items.len().div_ceil(WORKERS));
        let workers: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<T>>())).collect();
        // A panic of a worker is one of the whole.
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{FEW, parallel_map};

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, FEW - 1, FEW, 1_001] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(parallel_map(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
