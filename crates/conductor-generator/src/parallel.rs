//! Many definitions, each on its own: work that may be done on several processors.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Fewer are done sooner than a thread is started.
const WORTHWHILE: usize = 128;
/// So many at a time, so that asking for more work costs nothing.
const BLOCK: usize = 32;
/// Other generators run at the same time, and beyond a few threads all wait for the output directory.
const MOST_THREADS: usize = 4;

/// Does `work` with each of `items`; results are in the items' order.
///
/// # Panics
/// If `work` does.
pub(crate) fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    if items.len() < WORTHWHILE {
        return items.into_iter().map(work).collect();
    }
    let total = items.len();
    let waiting = Mutex::new((0, items.into_iter()));
    let worker = || {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let (number, block): (usize, Vec<T>) = {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.0 += 1;
                (waiting.0, waiting.1.by_ref().take(BLOCK).collect())
            };
            if block.is_empty() {
                return done;
            }
            // Collecting would keep the memory of the items for the results, which may be much smaller.
            let mut results = Vec::with_capacity(block.len());
            results.extend(block.into_iter().map(&work));
            done.push((number, results));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let mut blocks = thread::scope(|scope| {
        // A machine that is out of threads has this one still.
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, worker).ok()).collect();
        let mut blocks = worker();
        for other in others {
            match other.join() {
                Ok(more) => blocks.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        blocks
    });
    blocks.sort_unstable_by_key(|(number, _)| *number);
    let mut results = Vec::with_capacity(total);
    results.extend(blocks.into_iter().flat_map(|(_, block)| block));
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_keep_their_order() {
        for count in [0, 1, WORTHWHILE - 1, WORTHWHILE, 10 * WORTHWHILE + 1] {
            let expected: Vec<usize> = (0..count).map(|n| 2 * n).collect();
            assert_eq!(map((0..count).collect(), |n| 2 * n), expected);
        }
    }
}
