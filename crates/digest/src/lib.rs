//! Identity of content: digests, streaming hashers, tree hashes, Merkle trees.
