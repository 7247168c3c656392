use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::Error;

/// Works on every item, on at most `threads` threads. After the first error nothing more is begun; it is what comes back.
pub(super) fn each<T: Sync>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let next = Mutex::new((items.iter(), Ok(())));
    let run = || {
        loop {
            let item = {
                let mut state = next.lock().unwrap_or_else(PoisonError::into_inner);
                if state.1.is_err() {
                    return;
                }
                state.0.next()
            };
            let Some(item) = item else { return };
            if let Err(error) = work(item) {
                let mut state = next.lock().unwrap_or_else(PoisonError::into_inner);
                if state.1.is_ok() {
                    state.1 = Err(error);
                }
            }
        }
    };
    let threads = threads.min(items.len());
    if threads <= 1 {
        run();
    } else {
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(run);
            }
        });
    }
    next.into_inner().unwrap_or_else(PoisonError::into_inner).1
}
