use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use lotse_digest::Digest;

/// Answers that were found once and hold for ever: of those who ask the same at the same time one finds it and the others
/// wait; who asks later gets it at once.
///
/// What holds only for a while (a refusal: somebody may sign in the next moment) is handed to those who wait and not kept.
#[derive(Debug)]
pub struct VerdictCache<V> {
    slots: Mutex<BTreeMap<Digest, Arc<Slot<V>>>>,
    capacity: usize,
}

#[derive(Debug)]
struct Slot<V> {
    state: Mutex<State<V>>,
    changed: Condvar,
}

#[derive(Debug)]
enum State<V> {
    /// Somebody is at it.
    Asked,
    Found(V),
    /// Whoever was at it gave up (a panic): the next one tries.
    Dropped,
}

impl<V: Clone> VerdictCache<V> {
    /// A cache of up to so many answers. When it is full those with the smallest keys go first, which, keys being hashes, is
    /// any.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { slots: Mutex::new(BTreeMap::new()), capacity }
    }

    /// The answer under a key, found by `find` if it is not known. `find` also says whether the answer holds for ever.
    pub fn get_or_find(&self, key: &Digest, find: impl FnOnce() -> (V, bool)) -> V {
        let (slot, first) = self.slot(key);
        if !first {
            let mut state = lock(&slot.state);
            loop {
                match &*state {
                    State::Found(answer) => return answer.clone(),
                    State::Dropped => {
                        *state = State::Asked;
                        break;
                    }
                    State::Asked => {
                        state = slot.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            }
        }
        let guard = Guard { cache: self, key, slot: &slot, kept: false };
        let (answer, keep) = find();
        guard.finish(answer, keep)
    }

    /// How many answers are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.slots).len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slot of a key, and whether it is new: then the caller is the one who finds.
    fn slot(&self, key: &Digest) -> (Arc<Slot<V>>, bool) {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(key) {
            return (Arc::clone(slot), false);
        }
        while slots.len() >= self.capacity.max(1) {
            slots.pop_first();
        }
        let slot = Arc::new(Slot { state: Mutex::new(State::Asked), changed: Condvar::new() });
        slots.insert(key.clone(), Arc::clone(&slot));
        (slot, true)
    }
}

/// Wakes those who wait whatever happens.
struct Guard<'a, V> {
    cache: &'a VerdictCache<V>,
    key: &'a Digest,
    slot: &'a Arc<Slot<V>>,
    kept: bool,
}

impl<V: Clone> Guard<'_, V> {
    fn finish(mut self, answer: V, keep: bool) -> V {
        *lock(&self.slot.state) = State::Found(answer.clone());
        self.kept = keep;
        answer
    }
}

impl<V> Drop for Guard<'_, V> {
    fn drop(&mut self) {
        if !self.kept {
            let mut slots = lock(&self.cache.slots);
            if slots.get(self.key).is_some_and(|slot| Arc::ptr_eq(slot, self.slot)) {
                slots.remove(self.key);
            }
        }
        let mut state = lock(&self.slot.state);
        if matches!(*state, State::Asked) {
            *state = State::Dropped;
        }
        drop(state);
        self.slot.changed.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
