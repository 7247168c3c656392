//! The laws of checkpoints, statements, log tiles and evidence. Nothing verifies that was not signed, whatever the bytes are.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lotse_digest::Digest;
use lotse_provenance::{
    Actor, BuildFacts, BuilderRule, Chain, ChainRules, CiFacts, Event, Evidence, Expectations, KeyVerifier,
    Log, MemoryStore, Predicate, Query, Signer, Start, Statement, Timestamp,
};
use lotse_sign::{
    Checkpoint, NoteKey, Scheme, SignedNote, SigningKey, TlogProof, VerifyingKey, WitnessPolicy,
};

const ORIGIN: &str = "log.example/fuzz";
const ENTRIES: i64 = 300;

/// A key, and a log that it signed.
/// The log's key and its objects by name.
type Objects = (VerifyingKey, BTreeMap<String, Vec<u8>>);

static LOG: LazyLock<Option<Objects>> = LazyLock::new(|| {
    let key = SigningKey::from_secret(Scheme::Ed25519, &[7; 32]).ok()?;
    let mut log = Log::over(MemoryStore::new()).ok()?;
    let event =
        |number| Event::new(Timestamp::from_seconds(number), "fuzz", Actor::bot("fuzz"), "release", "app");
    let events: Vec<Event> = (0..ENTRIES).map(event).collect();
    log.append_all(&events, ORIGIN, &key).ok()?;
    log.index().ok()?;
    Some((key.verifying_key(), log.store().files()))
});

/// Notes, checkpoints, proofs, keys and policies print as they were read, and a note that verifies is the one that was signed.
pub(super) fn checkpoint(data: &[u8]) {
    let policy = WitnessPolicy::parse(data).ok();
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_text(), text);
    }
    if let Ok(key) = text.parse::<NoteKey>() {
        assert_eq!(key.to_string(), text);
    }
    let Some((key, files)) = LOG.as_ref() else { return };
    let signed =
        files.get("checkpoint").and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    if let Ok(proof) = TlogProof::parse(text) {
        assert_eq!(proof.to_text(), text);
        let _ = proof.verify(b"entry", ORIGIN, key);
    }
    let Ok(note) = SignedNote::parse(text) else { return };
    assert_eq!(note.to_text(), text);
    if note.verify(ORIGIN, key).is_ok() {
        assert!(signed.starts_with(note.unverified_text()), "a note that nobody signed");
    }
    assert!(note.verify_cosignature(ORIGIN, key).is_err(), "this key never cosigned");
    if let Some(policy) = policy {
        let _ = policy.verify(&note);
    }
}

/// A statement that is read is written and read again as it was, and judging it never panics.
pub(super) fn statement(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = CiFacts::from_unverified_token(text);
    }
    let Ok(statement) = Statement::parse(data) else { return };
    let json = statement.to_json().unwrap_or_default();
    let again = Statement::parse(&json).ok();
    assert_eq!(again.as_ref().map(Statement::predicate), Some(statement.predicate()));
    assert_eq!(again.as_ref().map(Statement::subjects), Some(statement.subjects()));
    assert_eq!(again.and_then(|again| again.to_json().ok()), Some(json));
    let _ = Predicate::parse(&statement);
    let verdict = Expectations::new(vec![BuilderRule::new("https://lotse.dev/builder", 3)]).judge(
        &statement,
        &Digest::sha256(b"image"),
        Signer::Nobody,
    );
    assert!(verdict.level <= 1, "nobody signed it");
    assert_eq!(verdict.level > 0, verdict.failed().is_none());
    let facts = BuildFacts::parse(&statement).ok();
    assert_eq!(facts.as_ref(), verdict.facts.as_ref());
}

/// No file of a log can be replaced by another without being found, and nothing that reads the log panics over it.
pub(super) fn log_tile(data: &[u8]) {
    let (Some((key, files)), Some((which, data))) = (LOG.as_ref(), data.split_first()) else { return };
    let mut changed = files.clone();
    let Some(name) = files.keys().nth(usize::from(*which) % files.len()) else { return };
    changed.insert(name.clone(), data.to_vec());
    let same = changed == *files;
    let Ok(log) = Log::over(MemoryStore::from_files(changed)) else {
        assert!(!same, "the log as it was signed opens");
        return;
    };
    // The index is a projection: what is wrong with it shows when it is searched.
    let verified = log.verify(ORIGIN, key).is_ok();
    assert!(verified == same || name.starts_with("index/"), "{name}");
    let _ = (
        log.root().is_ok(),
        log.prove(1).is_ok(),
        log.prove(280).is_ok(),
        log.consistency_proof(256).is_ok(),
    );
    if verified {
        let mut query = Query::default();
        query.from = Some(Timestamp::from_seconds(100));
        assert_eq!(log.search(&query).ok(), log.scan(&query).ok());
    }
}

/// An archive of evidence that is read is written as the same bytes, and no chain that nobody signed is whole.
pub(super) fn evidence(data: &[u8]) {
    let Some((key, _)) = LOG.as_ref() else { return };
    let verifier = KeyVerifier(key);
    let mut rules = ChainRules::new(&verifier);
    rules.log = Some((ORIGIN, key));
    if let Ok((start, evidence)) = Evidence::from_archive(data) {
        assert_eq!(evidence.to_archive(&start).ok().as_deref(), Some(data));
        assert!(!Chain::walk(&start, &evidence, &rules).is_whole());
    }
    // The same bytes as an index.
    let mut evidence = Evidence::default();
    evidence.documents = vec![data.to_vec(), b"{}".to_vec()];
    let chain = Chain::walk(&Start::Image(Digest::sha256(data)), &evidence, &rules);
    assert!(chain.broken().is_some() && !chain.is_whole());
}
