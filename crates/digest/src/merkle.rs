use crate::{Algorithm, Digest, Hasher, Lanes};

/// A SHA-256 hash in a Merkle tree: of a leaf or of a node.
pub type MerkleHash = [u8; 32];

/// A Merkle tree over SHA-256 as RFC 9162 section 2.1 (and RFC 6962) defines it, kept in memory.
///
/// Leaves are appended; roots and proofs can be asked for any earlier size as well.
///
/// ```
/// use lotse_digest::{MerkleTree, verify_inclusion};
/// let mut tree = MerkleTree::new();
/// for entry in ["a", "b", "c"] {
///     tree.push(entry.as_bytes());
/// }
/// let proof = tree.inclusion_proof(1, 3).expect("1 < 3");
/// verify_inclusion(&MerkleTree::leaf_hash(b"b"), 1, 3, &proof, &tree.root())?;
/// # Ok::<(), lotse_digest::ProofError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MerkleTree {
    leaves: Vec<MerkleHash>,
}

impl MerkleTree {
    /// A tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { leaves: Vec::new() }
    }

    /// A tree over leaf hashes that were computed before.
    #[must_use]
    pub const fn from_leaf_hashes(leaves: Vec<MerkleHash>) -> Self {
        Self { leaves }
    }

    /// `SHA-256(0x00 || data)`.
    #[must_use]
    pub fn leaf_hash(data: &[u8]) -> MerkleHash {
        hash(&[&[0], data])
    }

    /// `SHA-256(0x01 || left || right)`.
    #[must_use]
    pub fn node_hash(left: &MerkleHash, right: &MerkleHash) -> MerkleHash {
        hash(&[&[1], left, right])
    }

    /// Appends an entry and returns its index.
    pub fn push(&mut self, data: &[u8]) -> u64 {
        self.leaves.push(Self::leaf_hash(data));
        self.size() - 1
    }

    /// Appends entries, hashed many at once, and returns the index of the first.
    pub fn extend(&mut self, entries: &[&[u8]]) -> u64 {
        let first = self.size();
        self.leaves.append(&mut Lanes::detect().merkle_leaves(entries));
        first
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap_or(u64::MAX)
    }

    /// The hashes of the leaves, in order.
    #[must_use]
    pub fn leaf_hashes(&self) -> &[MerkleHash] {
        &self.leaves
    }

    /// The root over all leaves; of an empty tree, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> MerkleHash {
        root(&self.leaves)
    }

    /// The root that the tree had when it held `size` leaves, or `None` if it never did.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<MerkleHash> {
        self.first(size).map(root)
    }

    /// The proof that the leaf at `index` is in the tree of `size` leaves (RFC 9162, 2.1.3.1), from leaf to root.
    ///
    /// `None` unless `index < size` and the tree holds `size` leaves.
    #[must_use]
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<MerkleHash>> {
        let leaves = self.first(size)?;
        let index = usize::try_from(index).ok().filter(|&index| index < leaves.len())?;
        let mut proof = Vec::new();
        path(index, leaves, &mut proof);
        Some(proof)
    }

    /// The proof that the tree of `new` leaves extends the one of `old` leaves (RFC 9162, 2.1.4.1).
    ///
    /// `None` unless `old <= new` and the tree holds `new` leaves, and from an empty tree to another, which is no statement.
    /// Empty if `old` equals `new`.
    #[must_use]
    pub fn consistency_proof(&self, old: u64, new: u64) -> Option<Vec<MerkleHash>> {
        let leaves = self.first(new)?;
        let known = |&old: &usize| old <= leaves.len() && (old > 0 || leaves.is_empty());
        let old = usize::try_from(old).ok().filter(known)?;
        let mut proof = Vec::new();
        if old > 0 {
            subproof(old, leaves, true, &mut proof);
        }
        Some(proof)
    }

    fn first(&self, size: u64) -> Option<&[MerkleHash]> {
        self.leaves.get(..usize::try_from(size).ok()?)
    }
}

/// Why a Merkle proof does not prove.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The index lies outside the tree, or the old tree is larger than the new one, or empty where the new one is not.
    #[error("{index} lies outside a tree of {size} leaves")]
    OutOfRange {
        /// The index of the leaf, or the size of the old tree.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof does not have exactly as many hashes as the position asks for.
    #[error("the proof has {actual} hashes, expected {expected}")]
    Length {
        /// Hashes that this position needs.
        expected: usize,
        /// Hashes given.
        actual: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to root {}, expected {}", hexadecimal(actual), hexadecimal(expected))]
    Root {
        /// The root that was to be proved.
        expected: MerkleHash,
        /// The root to which the proof leads.
        actual: MerkleHash,
    },
}

/// Checks that `leaf` is at `index` in the tree of `size` leaves with this `root` (RFC 9162, 2.1.3.2).
///
/// # Errors
///
/// Each variant of [`ProofError`].
pub fn verify_inclusion(
    leaf: &MerkleHash,
    index: u64,
    size: u64,
    proof: &[MerkleHash],
    root: &MerkleHash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { index, size });
    }
    let expected = inclusion_length(index, size);
    if proof.len() != expected {
        return Err(ProofError::Length { expected, actual: proof.len() });
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if node & 1 == 1 || node == last {
            hash = MerkleTree::node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = MerkleTree::node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    same_root(root, hash)
}

/// Checks that the tree of `new` leaves with `new_root` extends the tree of `old` leaves with `old_root` (RFC 9162, 2.1.4.2).
/// Equal sizes need equal roots and no hashes; from an empty tree to another there is nothing to check.
///
/// # Errors
///
/// Each variant of [`ProofError`].
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[MerkleHash],
    old_root: &MerkleHash,
    new_root: &MerkleHash,
) -> Result<(), ProofError> {
    // Everything extends the empty tree, so that a proof from there proves nothing: RFC 9162 has none.
    if old > new || old == 0 && new > 0 {
        return Err(ProofError::OutOfRange { index: old, size: new });
    }
    if old == new {
        if !proof.is_empty() {
            return Err(ProofError::Length { expected: 0, actual: proof.len() });
        }
        if old == 0 {
            same_root(&root(&[]), *old_root)?;
        }
        return same_root(new_root, *old_root);
    }
    let expected = consistency_length(old, new);
    if proof.len() != expected {
        return Err(ProofError::Length { expected, actual: proof.len() });
    }
    let mut hashes = proof.iter();
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let start = if old.is_power_of_two() { old_root } else { hashes.next().unwrap_or(old_root) };
    let (mut older, mut newer) = (*start, *start);
    for sibling in hashes {
        if node & 1 == 1 || node == last {
            older = MerkleTree::node_hash(sibling, &older);
            newer = MerkleTree::node_hash(sibling, &newer);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            newer = MerkleTree::node_hash(&newer, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    same_root(old_root, older)?;
    same_root(new_root, newer)
}

fn same_root(expected: &MerkleHash, actual: MerkleHash) -> Result<(), ProofError> {
    if actual == *expected { Ok(()) } else { Err(ProofError::Root { expected: *expected, actual }) }
}

/// Number of hashes of an inclusion proof: levels below the split of the path, then right siblings above.
fn inclusion_length(index: u64, size: u64) -> usize {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    usize::try_from(inner + border).unwrap_or(usize::MAX)
}

fn consistency_length(old: u64, new: u64) -> usize {
    let shift = old.trailing_zeros();
    let index = (old - 1) >> shift;
    let inner = u64::BITS - (index ^ ((new - 1) >> shift)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    usize::try_from(inner + border + u32::from(!old.is_power_of_two())).unwrap_or(usize::MAX)
}

fn root(leaves: &[MerkleHash]) -> MerkleHash {
    Lanes::detect().merkle_root(leaves)
}

fn path(index: usize, leaves: &[MerkleHash], proof: &mut Vec<MerkleHash>) {
    if leaves.len() < 2 {
        return;
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    if index < at {
        path(index, left, proof);
        proof.push(root(right));
    } else {
        path(index - at, right, proof);
        proof.push(root(left));
    }
}

fn subproof(old: usize, leaves: &[MerkleHash], complete: bool, proof: &mut Vec<MerkleHash>) {
    if old == leaves.len() {
        if !complete {
            proof.push(root(leaves));
        }
        return;
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    if old <= at {
        subproof(old, left, complete, proof);
        proof.push(root(right));
    } else {
        subproof(old - at, right, false, proof);
        proof.push(root(left));
    }
}

/// The largest power of two below `length`, which is at least 2.
const fn split(length: usize) -> usize {
    1 << (usize::BITS - 1 - (length - 1).leading_zeros())
}

fn hash(parts: &[&[u8]]) -> MerkleHash {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for part in parts {
        hasher.update(part);
    }
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(hasher.finish().as_bytes()) {
        *to = *from;
    }
    hash
}

fn hexadecimal(hash: &MerkleHash) -> String {
    Digest::computed(Algorithm::Sha256, hash).encoded()
}
