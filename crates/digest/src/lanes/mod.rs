//! SHA-256 of many messages: side by side in the lanes of vectors where that wins, one after the other where not.

mod kernel;
mod message;

use fearless_simd::{Level, Simd};

use kernel::{INITIAL, States, WIDTH};
use message::{Leaf, Message, Node};

use crate::MerkleHash;

/// How many messages are hashed at once: by what the processor has, or by what a test asks for.
///
/// Every choice gives the same hashes. [`Lanes::detect`] is what the functions that take none use.
#[derive(Clone, Copy, Debug)]
pub struct Lanes {
    level: Option<Level>,
    /// Messages of up to so many blocks win by going into lanes.
    blocks: usize,
    /// Fewer messages than this are hashed one by one.
    fewest: usize,
}

impl Lanes {
    /// What wins on this processor, as measured (`benches/README.md`). Detection is cached by the standard library.
    #[must_use]
    pub fn detect() -> Self {
        let level = Level::new();
        let fast_alone = has_instructions();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            if level.as_avx512().is_some() {
                return Self {
                    level: Some(level),
                    blocks: if fast_alone { 1 << 10 } else { usize::MAX },
                    fewest: 10,
                };
            }
            if level.as_avx2().is_some() {
                return Self {
                    level: Some(level),
                    blocks: if fast_alone { 4 } else { usize::MAX },
                    fewest: 12,
                };
            }
        }
        let _ = (level, fast_alone);
        Self::none()
    }

    /// One message after the other.
    #[must_use]
    pub const fn none() -> Self {
        Self { level: None, blocks: 0, fewest: usize::MAX }
    }

    /// Every level that this processor has, each used for any message, and [`none`](Self::none): for tests.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let level = Level::new();
        let mut levels = vec![None, Some(level)];
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            levels.extend(level.as_avx2().map(|token| Some(token.level())));
            levels.extend(level.as_sse4_2().map(|token| Some(token.level())));
            levels.extend(level.as_sse2().map(|token| Some(token.level())));
        }
        levels
            .into_iter()
            .map(|level| {
                level.map_or(Self::none(), |level| Self { level: Some(level), blocks: usize::MAX, fewest: 1 })
            })
            .collect()
    }

    /// The SHA-256 of each message, in their order.
    ///
    /// ```
    /// use lotse_digest::{Digest, Lanes};
    /// let hashes = Lanes::detect().sha256(&[b"a", b"bc"]);
    /// assert_eq!(hashes[1], Digest::sha256(b"bc").as_bytes());
    /// ```
    #[must_use]
    pub fn sha256(self, messages: &[&[u8]]) -> Vec<[u8; 32]> {
        self.hash(messages)
    }

    /// The leaf hash of each entry, in their order (RFC 9162, section 2.1.1).
    #[must_use]
    pub fn merkle_leaves(self, entries: &[&[u8]]) -> Vec<MerkleHash> {
        self.hash(&entries.iter().map(|entry| Leaf(entry)).collect::<Vec<_>>())
    }

    /// The level above these hashes in a Merkle tree: the node of each pair; a last one without a partner goes up as it is.
    #[must_use]
    pub fn merkle_level(self, hashes: &[MerkleHash]) -> Vec<MerkleHash> {
        let (pairs, odd) = hashes.as_chunks::<2>();
        let nodes: Vec<Node<'_>> = pairs.iter().map(|[left, right]| Node(left, right)).collect();
        let mut level = self.hash(&nodes);
        level.extend_from_slice(odd);
        level
    }

    /// The root of a Merkle tree over these leaf hashes; of none, the hash of nothing.
    #[must_use]
    pub fn merkle_root(self, leaves: &[MerkleHash]) -> MerkleHash {
        let mut level = std::borrow::Cow::Borrowed(leaves);
        while level.len() > 1 {
            level = self.merkle_level(&level).into();
        }
        level.first().copied().unwrap_or_else(|| alone(&&[][..]))
    }

    /// Hashes `messages`, in their order.
    fn hash<M: Message>(self, messages: &[M]) -> Vec<[u8; 32]> {
        let mut hashes = vec![[0; 32]; messages.len()];
        let Some(level) = self.level.filter(|_| messages.len() >= self.fewest) else {
            for (hash, message) in hashes.iter_mut().zip(messages) {
                *hash = alone(message);
            }
            return hashes;
        };
        let mut work: Vec<Job<'_, M>> = Vec::with_capacity(messages.len());
        for (message, hash) in messages.iter().zip(&mut hashes) {
            let blocks = message.blocks();
            if blocks > self.blocks {
                *hash = alone(message);
            } else {
                work.push((blocks, message, hash));
            }
        }
        if !work.is_sorted_by_key(|(blocks, ..)| std::cmp::Reverse(*blocks)) {
            work.sort_by_key(|(blocks, ..)| std::cmp::Reverse(*blocks));
        }
        self.groups(level, &mut work);
        drop(work);
        hashes
    }

    /// Hashes whole groups of messages of equal length in blocks, and what is left over of them with lanes that are filled again.
    fn groups<M: Message>(self, level: Level, work: &mut [Job<'_, M>]) {
        let mut left = Vec::new();
        for run in work.chunk_by_mut(|(a, ..), (b, ..)| a == b) {
            let (groups, rest) = run.as_chunks_mut::<WIDTH>();
            for group in groups {
                let count = group.first().map_or(0, |(blocks, ..)| *blocks);
                let states =
                    kernel::hash_group(level, &group.each_ref().map(|(_, message, _)| *message), count);
                for (lane, (.., hash)) in group.iter_mut().enumerate() {
                    **hash = bytes(&column(&states, lane));
                }
            }
            left.extend(rest.iter_mut());
        }
        self.refilled(level, left);
    }

    /// Messages of any lengths, longest first: a lane that is through takes the next one.
    fn refilled<M: Message>(self, level: Level, left: Vec<&mut Job<'_, M>>) {
        let mut queue = left.into_iter();
        let mut lanes: [Option<(usize, &mut Job<'_, M>)>; WIDTH] = [const { None }; WIDTH];
        let mut states: States = [[0; WIDTH]; 8];
        let mut blocks = [[0; 64]; WIDTH];
        loop {
            let mut active = 0;
            for (lane, slot) in lanes.iter_mut().enumerate() {
                if slot.is_none() {
                    *slot = queue.next().map(|job| (0, job));
                    set_column(&mut states, lane, &INITIAL);
                }
                active += usize::from(slot.is_some());
            }
            if active < self.fewest {
                break;
            }
            for (slot, block) in lanes.iter().zip(&mut blocks) {
                if let Some((index, (_, message, _))) = slot {
                    message.block(*index, block);
                }
            }
            kernel::compress(level, &mut states, &blocks);
            for (lane, slot) in lanes.iter_mut().enumerate() {
                let Some((index, (count, _, hash))) = slot else { continue };
                *index += 1;
                if index == count {
                    **hash = bytes(&column(&states, lane));
                    *slot = None;
                }
            }
        }
        for (lane, slot) in lanes.iter_mut().enumerate() {
            let Some((index, (_, message, hash))) = slot else { continue };
            let mut state = column(&states, lane);
            message.finish(*index, &mut state);
            **hash = bytes(&state);
        }
    }
}

/// A message with its blocks counted, and where its hash goes.
type Job<'a, M> = (usize, &'a M, &'a mut [u8; 32]);

/// Whether one message alone is hashed by instructions of the processor.
fn has_instructions() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        std::arch::is_x86_feature_detected!("sha")
    }
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    {
        true
    }
}

fn alone<M: Message>(message: &M) -> [u8; 32] {
    let mut state = INITIAL;
    message.finish(0, &mut state);
    bytes(&state)
}

fn column(states: &States, lane: usize) -> [u32; 8] {
    states.each_ref().map(|words| words.get(lane).copied().unwrap_or(0))
}

fn set_column(states: &mut States, lane: usize, state: &[u32; 8]) {
    for (words, word) in states.iter_mut().zip(state) {
        if let Some(to) = words.get_mut(lane) {
            *to = *word;
        }
    }
}

fn bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<4>();
    for (to, word) in words.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    bytes
}
