//! Runs independent jobs on threads, with results in the order of the jobs.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

/// The results of `work(0)`, `work(1)`, … `work(jobs − 1)`, in this order. Each thread takes the next job when it is
/// free; `None` takes all available threads. After an error no further job is begun, and the error of the lowest job
/// is returned: jobs are begun in order, so it is the one that a single thread would meet first.
pub fn map<T: Send, E: Send>(
    jobs: usize,
    threads: Option<NonZeroUsize>,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let available = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = threads.unwrap_or_else(available).get().min(jobs);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                break;
            }
            let result = work(job);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((job, result));
        }
        done
    };
    let mut done: Vec<(usize, Result<T, E>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, _>| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        workers.into_iter().flat_map(join).collect()
    });
    done.sort_by_key(|(job, _)| *job);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_jobs() {
        for threads in [1, 2, 7] {
            let results = map(100, NonZeroUsize::new(threads), |job| Ok::<_, ()>(job * job));
            assert_eq!(results, Ok((0..100).map(|job| job * job).collect()));
        }
        assert_eq!(map(0, None, Ok::<usize, ()>), Ok(vec![]));
    }

    #[test]
    fn the_first_error_wins_and_ends_the_work() {
        for threads in [1, 2, 7] {
            let begun = AtomicUsize::new(0);
            let result = map(100_000, NonZeroUsize::new(threads), |job| {
                begun.fetch_add(1, Ordering::Relaxed);
                if job >= 10 { Err(job) } else { Ok(job) }
            });
            assert_eq!(result, Err(10));
            assert!(begun.load(Ordering::Relaxed) <= 10 + threads);
        }
    }
}
