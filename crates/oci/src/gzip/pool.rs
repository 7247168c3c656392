//! Pieces encoded by several threads, handed out in their order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::{Encoder, PIECE, WINDOW};

/// Pieces under way for each thread: enough that none waits, few enough that memory stays small.
const UNDER_WAY: usize = 3;

/// Encodes pieces. The thread that gives them does its share: it encodes whenever enough of them wait.
pub(super) struct Pool {
    threads: usize,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    encoder: Option<Encoder>,
    /// Numbers of the next piece to be given and to be handed out.
    given: u64,
    taken: u64,
    spare: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Piece>,
    encoded: BTreeMap<u64, Vec<u8>>,
    /// Buffers to be used again.
    used: Vec<Vec<u8>>,
    /// No more pieces will come.
    closed: bool,
    /// A worker panicked.
    failed: bool,
}

struct Piece {
    number: u64,
    input: Vec<u8>,
    window: usize,
    out: Vec<u8>,
}

impl Shared {
    /// A panic under the lock cannot leave the state half changed: each change is one call.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    pub(super) fn new(threads: NonZeroUsize) -> Self {
        Self {
            threads: threads.get(),
            shared: Arc::default(),
            workers: Vec::new(),
            encoder: None,
            given: 0,
            taken: 0,
            spare: Vec::new(),
        }
    }

    /// An empty buffer for a window and a piece.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = self.shared.lock().used.pop().unwrap_or_else(|| Vec::with_capacity(WINDOW + PIECE));
        buffer.clear();
        buffer
    }

    /// Takes a piece; encodes one here if enough of them wait.
    pub(super) fn give(&mut self, input: Vec<u8>, window: usize) -> io::Result<()> {
        // A single piece is not worth a thread.
        if self.given == 1 && self.threads > 1 {
            for number in 1..self.threads {
                let shared = Arc::clone(&self.shared);
                let worker = thread::Builder::new().name(format!("lotse-gzip-{number}"));
                self.workers.push(worker.spawn(move || work(&shared))?);
            }
        }
        let out = self.spare.pop().unwrap_or_default();
        let piece = Piece { number: self.given, input, window, out };
        self.given += 1;
        let mut state = self.shared.lock();
        state.waiting.push_back(piece);
        let waiting = state.waiting.len();
        drop(state);
        self.shared.changed.notify_all();
        if waiting >= self.threads {
            self.help();
        }
        Ok(())
    }

    /// The next piece if it is encoded; waits for it if too many are under way.
    pub(super) fn ready(&mut self) -> io::Result<Option<Vec<u8>>> {
        let under_way = self.given - self.taken;
        if under_way > u64::try_from(UNDER_WAY * self.threads).unwrap_or(u64::MAX) {
            return self.wait();
        }
        let encoded = self.shared.lock().encoded.remove(&self.taken);
        self.taken += u64::from(encoded.is_some());
        Ok(encoded)
    }

    /// The next piece; `None` after the last one that was given.
    pub(super) fn wait(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.taken == self.given {
            return Ok(None);
        }
        loop {
            let mut state = self.shared.lock();
            if let Some(encoded) = state.encoded.remove(&self.taken) {
                self.taken += 1;
                return Ok(Some(encoded));
            }
            if state.failed {
                return Err(io::Error::other("a thread of the DEFLATE encoder panicked"));
            }
            if state.waiting.is_empty() {
                drop(self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
            } else {
                drop(state);
                self.help();
            }
        }
    }

    /// Takes the buffer of a piece that was handed out.
    pub(super) fn take_back(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.spare.push(buffer);
    }

    /// Encodes one piece here.
    fn help(&mut self) {
        let piece = self.shared.lock().waiting.pop_front();
        if let Some(piece) = piece {
            self.shared.encode(self.encoder.get_or_insert_with(Encoder::new), piece);
        }
    }
}

impl Shared {
    fn encode(&self, encoder: &mut Encoder, piece: Piece) {
        let Piece { number, input, window, mut out } = piece;
        encoder.encode(&input, window, &mut out);
        let mut state = self.lock();
        state.encoded.insert(number, out);
        state.used.push(input);
        drop(state);
        self.changed.notify_all();
    }
}

/// What a thread does: encode, until no more pieces come.
fn work(shared: &Shared) {
    let watch = Watch(shared);
    let mut encoder = Encoder::new();
    loop {
        let mut state = shared.lock();
        let piece = loop {
            if let Some(piece) = state.waiting.pop_front() {
                break piece;
            }
            if state.closed {
                return;
            }
            state = watch.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        shared.encode(&mut encoder, piece);
    }
}

/// Says so if its thread panics, lest the others wait for ever.
struct Watch<'a>(&'a Shared);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().failed = true;
            self.0.changed.notify_all();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").field("threads", &self.threads).finish_non_exhaustive()
    }
}
