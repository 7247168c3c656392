//! Large content by its chunks: any wrong byte is refused where it stands, and nothing after it comes out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::io::Read;

use lotse_digest::{
    Algorithm, ChunkError, ChunkList, ChunkReader, Digest, FsVerity, Hasher, MerkleTree, ResumeError,
};

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 131 + at / 251) as u8).collect()
}

fn read(blob: &[u8], list: &ChunkList) -> (Vec<u8>, Option<ChunkError>) {
    let mut out = Vec::new();
    let error = ChunkReader::new(blob, list).read_to_end(&mut out).err();
    (out, error.map(|error| error.into_inner().unwrap().downcast_ref::<ChunkError>().unwrap().clone()))
}

#[test]
fn a_blob_passes_and_every_changed_one_stops_at_its_chunk() {
    for size in [0usize, 1, 99, 100, 101, 199, 200, 1777, 3333] {
        let blob = content(size);
        let list = ChunkList::of(&blob[..], 100).unwrap();
        assert_eq!((list.size(), list.hashes().len()), (size as u64, size.div_ceil(100)));
        let mut tree = MerkleTree::new();
        blob.chunks(100).for_each(|chunk| {
            tree.push(chunk);
        });
        assert_eq!(list.root(), tree.root(), "the root is RFC 9162's");
        assert_eq!(ChunkList::parse(&list.to_bytes(), &list.root()).unwrap(), list);
        assert_eq!(read(&blob, &list), (blob.clone(), None));
        let longer = [blob.as_slice(), b"x"].concat();
        let (out, error) = read(&longer, &list);
        assert!(blob.starts_with(&out) && error.is_some(), "{size}: {error:?}");
        for at in (0..size).step_by(37) {
            let mut wrong = blob.clone();
            wrong[at] ^= 1;
            let right = at / 100 * 100;
            let index = (at / 100) as u64;
            assert_eq!(read(&wrong, &list), (blob[..right].to_vec(), Some(ChunkError::Mismatch { index })));
            let (out, error) = read(&blob[..at], &list);
            assert!(out == blob[..right] && matches!(error, Some(ChunkError::Length { .. })), "{error:?}");
        }
    }
}

#[test]
fn chunks_are_checked_in_any_order_and_without_the_list() {
    let blob = content(1050);
    let list = ChunkList::of(&blob[..], 100).unwrap();
    let chunks: Vec<&[u8]> = blob.chunks(100).collect();
    for (index, chunk) in chunks.iter().enumerate().rev() {
        let index = index as u64;
        list.verify(index, chunk).unwrap();
        let proof = list.proof(index).unwrap();
        ChunkList::verify_chunk(index, 11, chunk, &proof, &list.root()).unwrap();
        assert!(ChunkList::verify_chunk(index, 11, b"another", &proof, &list.root()).is_err());
        assert!(ChunkList::verify_chunk((index + 1) % 11, 11, chunk, &proof, &list.root()).is_err());
    }
    assert_eq!(list.verify(11, b""), Err(ChunkError::OutOfRange { index: 11, chunks: 11 }));
    assert_eq!(list.verify(10, chunks[9]), Err(ChunkError::Length { index: 10, expected: 50, actual: 100 }));
    assert_eq!(list.verify(0, chunks[1]), Err(ChunkError::Mismatch { index: 0 }));
    let mut rest = Vec::new();
    ChunkReader::from_chunk(&blob[700..], &list, 7).read_to_end(&mut rest).unwrap();
    assert_eq!(rest, blob[700..]);
}

#[test]
fn a_list_from_outside_is_its_root_or_refused() {
    let list = ChunkList::of(&content(1050)[..], 100).unwrap();
    let (bytes, root) = (list.to_bytes(), list.root());
    for at in 0..bytes.len() {
        let mut wrong = bytes.clone();
        wrong[at] ^= 1;
        // The blob's size within its last chunk is not in the root, but every other byte is.
        match ChunkList::parse(&wrong, &root) {
            Ok(other) => assert!((15..27).contains(&at) && other.hashes() == list.hashes(), "{at}"),
            Err(error) => assert!(matches!(error, ChunkError::Malformed | ChunkError::Root), "{at}: {error}"),
        }
        assert!(ChunkList::parse(&bytes[..at], &root).is_err());
    }
    assert!(ChunkList::of(&b"x"[..], 0).is_err());
}

#[test]
fn a_saved_hasher_goes_on_at_any_byte() {
    let blob = content(300);
    for algorithm in Algorithm::ALL {
        for cut in 0..blob.len() {
            let mut first = Hasher::new(algorithm);
            first.update(&blob[..cut]);
            let saved = first.save();
            let mut second = Hasher::resume(&saved).unwrap();
            second.update(&blob[cut..]);
            assert_eq!(second.finish(), Digest::of(algorithm, &blob), "{algorithm} at {cut}");
            assert_eq!(Hasher::resume(&saved[..saved.len() - 1]).unwrap_err(), ResumeError);
        }
    }
    for wrong in [&b""[..], b"lotse-hasher/1\n", b"lotse-hasher/2\nsha256\n", b"lotse-hasher/1\nmd5\n1234"] {
        assert_eq!(Hasher::resume(wrong).unwrap_err(), ResumeError);
    }
}

#[test]
fn the_form_of_a_saved_hasher_is_frozen() {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(&content(100));
    let digest = Digest::sha256(&hasher.save()).to_string();
    assert_eq!(
        digest, "sha256:b04918e4fa9d95119e0f6e0fdfa033001328820261e1ce657acebb2aa0f6d99f",
        "a state that another version wrote must resume or be refused"
    );
}

#[test]
fn fs_verity_digests_are_the_kernels() {
    // `fsverity digest` 1.5 on files with these bytes; tests/tests asks the program itself.
    for (size, expected) in [
        (0, "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95"),
        (1, "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551"),
        (4096, "4a90e68cdf15a504952761990670c24b62aa6b5bf411dc7a771abc5e4c7e096e"),
        (4097, "ac59701a5f612522e890b0c0f2272f75c0db9424700935a2322501799c84bad8"),
        (1_000_000, "ccfdcab13551f65720f45cfa0c8c2c99ef993b72cd73c7fe9deedb527111d80b"),
    ] {
        let digest = FsVerity::of(&content(size)[..]).unwrap().to_string();
        assert_eq!(digest, format!("sha256:{expected}"), "{size} bytes");
    }
}
