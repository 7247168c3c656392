//! Verdicts are found once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use lotse_digest::Digest;
use lotse_sign::sandbox::{Sandbox, Setup};
use lotse_sign::{
    AttachedBundle, Attachments, Claims, Content, Context, ExactIdentity, ExpectedSigner, Requirements,
    SubjectName, VerdictCache, Verifier, Wanted, image_statement,
};

fn key(text: &str) -> Digest {
    Digest::sha256(text.as_bytes())
}

#[test]
fn eight_containers_with_one_digest_cost_one_verification() {
    let (cache, found, start) = (VerdictCache::new(10), AtomicUsize::new(0), Barrier::new(8));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let answer = cache.get_or_find(&key("image"), || {
                    found.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(50));
                    (42, true)
                });
                assert_eq!(answer, 42);
            });
        }
    });
    assert_eq!(found.load(Ordering::SeqCst), 1);
}

#[test]
fn a_refusal_is_not_kept_and_a_panic_blocks_nobody() {
    let cache = VerdictCache::new(2);
    assert_eq!(cache.get_or_find(&key("a"), || ("no", false)), "no");
    assert_eq!(cache.get_or_find(&key("a"), || ("yes", true)), "yes");
    assert_eq!(cache.get_or_find(&key("a"), || ("never asked", true)), "yes");
    let failed = thread::scope(|scope| {
        scope.spawn(|| cache.get_or_find(&key("b"), || panic!("the finder fails"))).join()
    });
    assert!(failed.is_err());
    assert_eq!(cache.get_or_find(&key("b"), || ("found", true)), "found");
    assert_eq!(cache.get_or_find(&key("c"), || ("third", true)), "third");
    assert_eq!(cache.len(), 2, "the capacity is kept");
}

#[test]
fn a_list_of_images_is_verified_once_each() {
    let sigstore = Sandbox::new("batch", "2026-11-21T10:00:00Z".parse().unwrap());
    let mut claims = Claims::new(SubjectName::Email("alice@example.test".to_owned()));
    claims.issuer = Some("https://oidc.example.test".to_owned());
    let images: Vec<Digest> = (0..5).map(|number| key(&format!("image {number}"))).collect();
    let mut attached = BTreeMap::new();
    for image in images.iter().take(4) {
        let statement = Content::Statement(image_statement(image));
        let json = sigstore.sign_with(Setup::V2, statement, &claims).unwrap().to_json().unwrap();
        let bundle = AttachedBundle { manifest: key("manifest"), json };
        attached.insert(image.clone(), Attachments { bundles: vec![bundle], ..Attachments::default() });
    }
    let verifier = Verifier::new(sigstore.trusted_root().unwrap());
    let alice = ExactIdentity::new("alice@example.test", "https://oidc.example.test");
    let signer = ExpectedSigner::Identity(&alice);
    let context = Context { signer, requirements: Requirements::sigstore(), at: sigstore.now() };
    let cache = VerdictCache::new(100);
    let fetched = Cell::new(0);
    let run = |times: usize| {
        let list: Vec<&Digest> = images.iter().cycle().take(images.len() * times).collect();
        let fetch = |image: &Digest| {
            fetched.set(fetched.get() + 1);
            Ok::<_, String>(attached.get(image).cloned().unwrap_or_default())
        };
        verifier.verify_images(list, fetch, Wanted::Signature, &context, &cache).unwrap()
    };
    let verdicts = run(3);
    assert_eq!(verdicts.len(), 15);
    let accepted: Vec<bool> = verdicts.iter().take(5).map(|verdict| verdict.is_accepted()).collect();
    assert_eq!(accepted, [true, true, true, true, false]);
    assert_eq!(fetched.get(), 4 + 3, "each good one once, the unsigned one each time");
    run(1);
    assert_eq!(fetched.get(), 4 + 3 + 1);
    let error = verifier.verify_images([&key("other")], |_| Err("gone"), Wanted::Signature, &context, &cache);
    assert_eq!(error.unwrap_err(), "gone");
}
