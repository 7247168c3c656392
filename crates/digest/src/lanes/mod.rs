//! SHA-256 of many messages: side by side in the lanes of vectors where that wins, one after the other where not.

mod kernel;
mod message;

use fearless_simd::Level;

use kernel::{States, WIDTH};
use message::{INITIAL, Leaf, Message, Node};

use crate::MerkleHash;

/// With fewer messages than this in 16 lanes, one after the other is faster (measured, `benches/README.md`): where the processor
/// has SHA instructions, and where it has not.
const FEWEST_AVX512: usize = 11;
const FEWEST_AVX2: usize = 8;

/// How many messages are hashed at once: by what the processor has, or by what a test asks for.
///
/// Every choice gives the same hashes. [`Lanes::detect`] is what the functions that take none use. Nothing here starts a thread:
/// to use several, cut the messages into as many parts.
///
/// ```
/// # use lotse_digest::Lanes;
/// let messages: Vec<&[u8]> = vec![b"message"; 1000];
/// let hashes: Vec<[u8; 32]> = std::thread::scope(|scope| {
///     let parts = messages.chunks(500).map(|part| scope.spawn(|| Lanes::detect().sha256(part)));
///     parts.collect::<Vec<_>>().into_iter().flat_map(|part| part.join().expect("no panic")).collect()
/// });
/// assert_eq!(hashes, Lanes::detect().sha256(&messages));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lanes {
    level: Option<Level>,
    /// Fewer messages than this are hashed one by one.
    fewest: usize,
}

impl Lanes {
    /// What wins on this processor, as measured (`benches/README.md`). Detection is cached by the standard library. A build with
    /// debug assertions hashes one message after the other.
    #[must_use]
    pub fn detect() -> Self {
        // Not optimised, vectors are a hundred times slower than none, and what they leave on the stack overflows a thread's.
        if cfg!(debug_assertions) {
            return Self::none();
        }
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            let level = Level::new();
            let has_instructions = std::arch::is_x86_feature_detected!("sha");
            let fewest = if level.as_avx512().is_some() {
                FEWEST_AVX512
            } else if level.as_avx2().is_some() && !has_instructions {
                // Beside the processor's own SHA instructions, eight lanes of AVX2 win nothing.
                FEWEST_AVX2
            } else {
                return Self::none();
            };
            Self { level: Some(level), fewest }
        }
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        {
            Self::none()
        }
    }

    /// One message after the other.
    #[must_use]
    pub const fn none() -> Self {
        Self { level: None, fewest: usize::MAX }
    }

    /// Every level that this processor has, each used for any message, and [`none`](Self::none): for tests, which must be built
    /// with optimisation (`opt-level` 2 for this crate) or overflow their stack.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let level = Level::new();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let levels = [
            level.as_avx512().map(fearless_simd::Simd::level),
            level.as_avx2().map(fearless_simd::Simd::level),
        ];
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let levels = [Some(level)];
        let lanes = levels.into_iter().flatten().map(|level| Self { level: Some(level), fewest: 1 });
        std::iter::once(Self::none()).chain(lanes).collect()
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
        level.first().copied().unwrap_or_else(|| (&[][..]).hash_alone())
    }

    /// Hashes `messages`, in their order.
    fn hash<M: Message>(self, messages: &[M]) -> Vec<[u8; 32]> {
        let mut hashes = vec![[0; 32]; messages.len()];
        let Some(level) = self.level.filter(|_| messages.len() >= self.fewest) else {
            for (hash, message) in hashes.iter_mut().zip(messages) {
                *hash = message.hash_alone();
            }
            return hashes;
        };
        let count = messages.first().map_or(0, Message::blocks);
        if messages.iter().all(|message| message.blocks() == count) {
            self.alike(level, count, messages, &mut hashes);
        } else {
            self.mixed(level, messages, &mut hashes);
        }
        hashes
    }

    /// Messages of one length in blocks.
    fn alike<M: Message>(self, level: Level, count: usize, messages: &[M], hashes: &mut [[u8; 32]]) {
        // A block of padding alone is the same for messages of one length: its schedule is made once, and not in vectors.
        let bits = messages.first().and_then(Message::whole_padding);
        let bits = bits.filter(|bits| messages.iter().all(|message| message.whole_padding() == Some(*bits)));
        let padding = bits.map(kernel::padding_schedule);
        let (groups, rest) = messages.as_chunks::<WIDTH>();
        let (group_hashes, rest_hashes) = hashes.as_chunks_mut::<WIDTH>();
        for (group, hashes) in groups.iter().zip(group_hashes) {
            hash_group(level, group.each_ref(), count, padding.as_ref(), hashes.each_mut());
        }
        let rest = rest.iter().zip(rest_hashes).map(|(message, hash)| Job { count, message, hash });
        self.refilled(level, rest);
    }

    /// Whole groups of equal length in blocks first; then what is left over of them.
    fn mixed<M: Message>(self, level: Level, messages: &[M], hashes: &mut [[u8; 32]]) {
        let jobs = messages.iter().zip(hashes);
        let mut jobs: Vec<Job<'_, M>> =
            jobs.map(|(message, hash)| Job { count: message.blocks(), message, hash }).collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.count));
        let mut left = Vec::new();
        for run in jobs.chunk_by_mut(|a, b| a.count == b.count) {
            let (groups, rest) = run.as_chunks_mut::<WIDTH>();
            for group in groups {
                let count = group.first().map_or(0, |job| job.count);
                let messages = group.each_ref().map(|job| job.message);
                hash_group(level, messages, count, None, group.each_mut().map(|job| &mut *job.hash));
            }
            left.extend(rest.iter_mut().map(|job| Job { hash: &mut *job.hash, ..*job }));
        }
        self.refilled(level, left.into_iter());
    }

    /// Messages of any lengths, longest first: a lane that is through takes the next one.
    fn refilled<'a, M: Message + 'a>(self, level: Level, mut queue: impl Iterator<Item = Job<'a, M>>) {
        let mut lanes: [Option<(usize, Job<'_, M>)>; WIDTH] = [const { None }; WIDTH];
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
                if let Some((index, job)) = slot {
                    job.message.block(*index, block);
                }
            }
            kernel::compress(level, &mut states, &blocks);
            for (lane, slot) in lanes.iter_mut().enumerate() {
                let Some((index, job)) = slot else { continue };
                *index += 1;
                if *index == job.count {
                    *job.hash = message::bytes(&column(&states, lane));
                    *slot = None;
                }
            }
        }
        for (lane, slot) in lanes.iter_mut().enumerate() {
            let Some((index, job)) = slot else { continue };
            let mut state = column(&states, lane);
            job.message.finish(*index, &mut state);
            *job.hash = message::bytes(&state);
        }
    }
}

/// A message with its blocks counted, and where its hash goes.
struct Job<'a, M> {
    count: usize,
    message: &'a M,
    hash: &'a mut [u8; 32],
}

/// Hashes 16 messages that have `count` blocks each; the last one of each is `padding`, if that is given.
fn hash_group<M: Message>(
    level: Level,
    messages: [&M; WIDTH],
    count: usize,
    padding: Option<&kernel::Schedule>,
    hashes: [&mut [u8; 32]; WIDTH],
) {
    let mut states = INITIAL.map(|word| [word; WIDTH]);
    let mut blocks = [[0; 64]; WIDTH];
    let varied = if padding.is_some() { count.saturating_sub(1) } else { count };
    let whole = messages.map(Message::whole);
    let direct = whole.iter().map(|blocks| blocks.len()).min().unwrap_or(0).min(varied);
    if direct > 0 {
        kernel::compress_many(level, &mut states, &whole, direct);
    }
    for index in direct..varied {
        for (block, message) in blocks.iter_mut().zip(&messages) {
            message.block(index, block);
        }
        kernel::compress(level, &mut states, &blocks);
    }
    if let Some(schedule) = padding {
        kernel::compress_padding(level, &mut states, schedule);
    }
    for (lane, hash) in hashes.into_iter().enumerate() {
        *hash = message::bytes(&column(&states, lane));
    }
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
