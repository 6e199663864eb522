//! Produces an item while the item before it is consumed.

use std::sync::mpsc::sync_channel;

use crate::diagnostic::{Error, Result};

/// Number of items that may wait to be consumed.
const WAITING: usize = 1;

/// Passes the items that `produce` returns to `consume`, in order, until there are no more. With several threads, an
/// item is produced while the item before it is consumed. The first error ends both.
pub(super) fn prefetch<T: Send>(
    threads: usize,
    mut produce: impl FnMut() -> Result<Option<T>> + Send,
    mut consume: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    if threads <= 1 {
        while let Some(item) = produce()? {
            consume(item)?;
        }
        return Ok(());
    }
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let producer = scope.spawn(move || {
            while let Some(item) = produce()? {
                // The receiver is gone after an error.
                if sender.send(item).is_err() {
                    break;
                }
            }
            Ok(())
        });
        let consumed = receiver.into_iter().try_for_each(&mut consume);
        let produced = producer.join().unwrap_or_else(|_| Err(Error::internal("a thread stopped early")));
        consumed.and(produced)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_order_and_the_first_error_ends_both() {
        for threads in [1, 2] {
            let run = |items: u32, fails: [u32; 2]| {
                let (mut next, mut taken) = (0..items, Vec::new());
                let error = |item: &u32, fails: u32| if *item == fails { Err(Error::Cancelled) } else { Ok(()) };
                let produce = || next.next().map(|item| error(&item, fails[0]).map(|()| item)).transpose();
                let outcome = prefetch(threads, produce, |item| {
                    error(&item, fails[1])?;
                    taken.push(item);
                    Ok(())
                });
                (outcome.is_ok(), taken)
            };
            assert_eq!(run(0, [9, 9]), (true, vec![]));
            assert_eq!(run(5, [9, 9]), (true, vec![0, 1, 2, 3, 4]));
            assert_eq!(run(5, [3, 9]), (false, vec![0, 1, 2]));
            assert_eq!(run(5000, [9999, 3]), (false, vec![0, 1, 2]));
        }
    }
}
