//! Images and files in front of real servers: what cosign signs we verify, what we sign cosign verifies, and what the one refuses for a
//! reason the other refuses too. Nothing leaves this machine.
//!
//! docker-registry, cosign 3 and 2; for identities Fulcio, two logs of Rekor v2, Rekor v1 in memory, two timestamp authorities and
//! the issuers of `tests/sigstore/stub.py`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test states what must hold, and finds its peers in the environment"
)]

#[path = "sigstore/cosign.rs"]
mod cosign;
#[path = "sigstore/judge.rs"]
mod judge;
#[path = "sigstore/ours.rs"]
mod ours;
#[path = "sigstore/stack.rs"]
mod stack;

use std::fs;

use cosign::Cosign;
use judge::Judge;
use lotse_sign::{Scheme, SigningKey};
use lotse_tests::peer;
use stack::Stack;

const ROOT: &str = "--trusted-root trusted_root.json";
const PROVENANCE: &str = "slsaprovenance1";
const OTHER: &str = "https://example.com/predicate";

/// The stack, both versions of cosign, and everything that the two sides need in files.
struct Bench {
    stack: Stack,
    cosign: Cosign,
    cosign2: Cosign,
}

impl Bench {
    fn new() -> Option<Self> {
        let (cosign, cosign2) = (peer("cosign")?, peer("cosign2")?);
        let stack = Stack::start()?;
        let directory = stack.directory.clone();
        fs::write(directory.join("predicate.json"), ours::PREDICATE).unwrap();
        let pki = |name: &str| stack.file(&format!("pki/{name}"));
        let cosign2 = Cosign::new(cosign2, &directory)
            .with("SIGSTORE_REKOR_PUBLIC_KEY", pki("rekor1.pub"))
            .with("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", pki("ctlog.pub"))
            .with("SIGSTORE_ROOT_FILE", pki("fulcio-chain.pem"))
            .with("SIGSTORE_TSA_CERTIFICATE_FILE", pki("tsa-chain.pem"));
        Some(Self { cosign: Cosign::new(cosign, &directory), cosign2, stack })
    }

    fn image(&self, name: &str) -> String {
        ours::image(self.stack.address("REGISTRY"), name)
    }

    /// Options of the examples, whose files stand in the stack's directory.
    fn root(&self) -> String {
        format!("--trusted-root {}", self.stack.file("trusted_root.json"))
    }

    /// A key pair from fixed bytes: `NAME.pem` and `NAME.pub`, and what cosign makes of it, `NAME-cosign.key`.
    fn key(&self, name: &str, scheme: Scheme, secret: u8) {
        let key = SigningKey::from_secret(scheme, &[secret; 32]).unwrap();
        fs::write(self.stack.file(&format!("{name}.pem")), key.to_pem().unwrap()).unwrap();
        fs::write(self.stack.file(&format!("{name}.pub")), key.verifying_key().to_pem()).unwrap();
        let import = format!("import-key-pair --yes --key {name}.pem --output-key-prefix {name}-cosign");
        self.cosign.run(import).unwrap();
    }
}

#[test]
fn what_is_signed_with_a_key_verifies_on_the_other_side() {
    let Some(bench) = Bench::new() else { return };
    let Bench { stack, cosign, cosign2 } = &bench;
    let mut judge = Judge::default();
    let file = |name: &str| stack.file(name);
    let bare = "--policy bare";
    // cosign signs P-384 with SHA-384 and verifies it with SHA-256 unless it is told.
    for (name, scheme, told) in [
        ("p256", Scheme::EcdsaP256Sha256, ""),
        ("p384", Scheme::EcdsaP384Sha384, "--signature-digest-algorithm sha384"),
    ] {
        bench.key(name, scheme, 7);
        let ours_key = format!("--key {}", file(&format!("{name}.pem")));
        let trust = format!("--key {} {} {bare}", file(&format!("{name}.pub")), bench.root());
        let key = format!("--key {name}.pub --insecure-ignore-tlog {told}");

        let image = bench.image(&format!("{name}-ours"));
        judge.accepts(format!("{name}: we sign"), ours::sign(&image, &ours_key));
        judge.accepts(format!("{name}: we attest"), ours::attest(&image, OTHER, &ours_key));
        judge.accepts(format!("{name}: we verify our signature"), ours::verify(&image, None, &trust));
        judge
            .accepts(format!("{name}: we verify our attestation"), ours::verify(&image, Some(OTHER), &trust));
        judge.accepts(
            format!("{name}: cosign 3 verifies our signature"),
            cosign.run(format!("verify {ROOT} {key} {image}")),
        );
        judge.accepts(
            format!("{name}: cosign 3 verifies our attestation"),
            cosign.run(format!("verify-attestation {ROOT} {key} --type {OTHER} {image}")),
        );

        let image = bench.image(&format!("{name}-cosign"));
        let by = format!("--yes --signing-config signing_config_empty.json {ROOT} --key {name}-cosign.key");
        judge.accepts(format!("{name}: cosign 3 signs"), cosign.run(format!("sign {by} {image}")));
        judge.accepts(
            format!("{name}: cosign 3 attests"),
            cosign.run(format!("attest {by} --type {OTHER} --predicate predicate.json {image}")),
        );
        judge.accepts(format!("{name}: we verify cosign 3's signature"), ours::verify(&image, None, &trust));
        judge.accepts(
            format!("{name}: we verify cosign 3's attestation"),
            ours::verify(&image, Some(OTHER), &trust),
        );

        let image = bench.image(&format!("{name}-cosign-log"));
        let by = format!("--yes --signing-config signing_config_a.json {ROOT} --key {name}-cosign.key");
        judge.accepts(format!("{name}: cosign 3 signs with log"), cosign.run(format!("sign {by} {image}")));
        let logged = format!("--key {} {}", file(&format!("{name}.pub")), bench.root());
        judge.accepts(
            format!("{name}: we verify cosign 3's signature with log"),
            ours::verify(&image, None, &logged),
        );
        let image = bench.image(&format!("{name}-ours-log"));
        let config = file("signing_config_a.json");
        judge.accepts(
            format!("{name}: we sign with log"),
            ours::sign(&image, &format!("{ours_key} --signing-config {config}")),
        );
        judge.accepts(format!("{name}: we verify ours with log"), ours::verify(&image, None, &logged));
        judge.accepts(
            format!("{name}: cosign 3 verifies ours with log"),
            cosign.run(format!("verify {ROOT} --key {name}.pub {told} {image}")),
        );
    }

    // cosign's older layout, in which both write on top of each other.
    let ours_key = format!("--key {}", file("p256.pem"));
    let trust = format!("--key {} {} {bare}", file("p256.pub"), bench.root());
    let old = "--yes --key p256-cosign.key --tlog-upload=false";
    let verify = "--key p256.pub --insecure-ignore-tlog";
    let image = bench.image("old");
    let both = |judge: &mut Judge, when: &str, number: usize| {
        let (signature, attestation) =
            (ours::verify(&image, None, &trust), ours::verify(&image, Some(PROVENANCE), &trust));
        let all = format!("{number} hold");
        let counted = |said: String| if said.starts_with(&all) { Ok(said) } else { Err(said) };
        judge.accepts(format!("old, {when}: we verify the signature"), signature.and_then(counted));
        judge.accepts(format!("old, {when}: we verify the attestation"), attestation.and_then(counted));
        judge.accepts(
            format!("old, {when}: cosign 2 verifies the signature"),
            cosign2.run(format!("verify {verify} {image}")),
        );
        judge.accepts(
            format!("old, {when}: cosign 2 verifies the attestation"),
            cosign2.run(format!("verify-attestation {verify} --type {PROVENANCE} {image}")),
        );
        judge.accepts(
            format!("old, {when}: cosign 3 verifies the signature"),
            cosign.run(format!("verify --new-bundle-format=false {ROOT} {verify} {image}")),
        );
    };
    judge.accepts("old: cosign 2 signs", cosign2.run(format!("sign {old} {image}")));
    judge.accepts(
        "old: cosign 2 attests",
        cosign2.run(format!("attest {old} --type {PROVENANCE} --predicate predicate.json {image}")),
    );
    both(&mut judge, "after cosign 2", 1);
    judge.accepts("old: we sign on top", ours::sign_old(&image, &ours_key));
    judge.accepts("old: we attest on top", ours::attest_old(&image, PROVENANCE, &ours_key));
    both(&mut judge, "after us", 2);
    let old = format!("--new-bundle-format=false --use-signing-config=false {old}");
    judge.accepts("old: cosign 3 signs on top", cosign.run(format!("sign {old} -a round=3 {image}")));
    judge.accepts(
        "old: cosign 3 attests on top",
        cosign.run(format!("attest {old} --type {PROVENANCE} --predicate predicate.json {image}")),
    );
    both(&mut judge, "after cosign 3", 3);

    // A key that cosign made and locked.
    cosign.run("generate-key-pair --output-key-prefix made").unwrap();
    let image = bench.image("made");
    judge.accepts("cosign's own key: we sign", ours::sign(&image, &format!("--key {}", file("made.key"))));
    judge.accepts(
        "cosign's own key: cosign 3 verifies",
        cosign.run(format!("verify {ROOT} --key made.pub --insecure-ignore-tlog {image}")),
    );
    judge.end(2 * 15 + 6 + 3 * 5 + 2);
}

/// The identities that the two kinds of tokens of `stub.py` become.
const WHO: [(&str, &str, &str); 2] = [
    (
        "github",
        "https://github.com/lotse-example/workflows/.github/workflows/sign.yml@refs/tags/v3",
        "https://token.actions.githubusercontent.com",
    ),
    ("gitlab", "https://gitlab.com/lotse-example/app//.gitlab-ci.yml@refs/heads/main", "https://gitlab.com"),
];

#[test]
fn what_is_signed_by_an_identity_verifies_on_the_other_side() {
    let Some(bench) = Bench::new() else { return };
    let Bench { stack, cosign, cosign2 } = &bench;
    let mut judge = Judge::default();
    let blob = stack.directory.join("blob");
    fs::write(&blob, "blob").unwrap();
    for (kind, identity, issuer) in WHO {
        let token = stack.token(kind);
        let who = format!("--certificate-identity {identity} --certificate-oidc-issuer {issuer}");
        let trust = format!("{who} {}", bench.root());
        // Two logs of Rekor v2 with a key of their own kind each, both at once with both authorities, Rekor v1 without and with time.
        for services in ["a", "b", "both", "v1", "v1_time"] {
            let at = format!("{kind}, {services}");
            let config = stack.file(&format!("signing_config_{services}.json"));
            let by = format!("--identity-token {token} --signing-config {config}");

            let image = bench.image(&format!("{kind}-{services}-ours"));
            judge.accepts(format!("{at}: we sign"), ours::sign(&image, &by));
            judge.accepts(format!("{at}: we attest"), ours::attest(&image, OTHER, &by));
            judge.accepts(format!("{at}: we verify our signature"), ours::verify(&image, None, &trust));
            judge.accepts(
                format!("{at}: cosign 3 verifies our signature"),
                cosign.run(format!("verify {ROOT} {who} {image}")),
            );
            judge.accepts(
                format!("{at}: cosign 3 verifies our attestation"),
                cosign.run(format!("verify-attestation {ROOT} {who} --type {OTHER} {image}")),
            );

            let image = bench.image(&format!("{kind}-{services}-cosign"));
            let by = format!("--yes --signing-config {config} {ROOT} --identity-token {token}");
            judge.accepts(format!("{at}: cosign 3 signs"), cosign.run(format!("sign {by} {image}")));
            judge.accepts(
                format!("{at}: cosign 3 attests"),
                cosign.run(format!("attest {by} --type {OTHER} --predicate predicate.json {image}")),
            );
            judge
                .accepts(format!("{at}: we verify cosign 3's signature"), ours::verify(&image, None, &trust));
            judge.accepts(
                format!("{at}: we verify cosign 3's attestation"),
                ours::verify(&image, Some(OTHER), &trust),
            );
        }
        // A file, with everything.
        let config = stack.file("signing_config_both.json");
        let (ours, theirs) =
            (stack.directory.join(format!("{kind}.ours.json")), stack.directory.join(format!("{kind}.json")));
        let by = format!("--identity-token {token} --signing-config {config}");
        judge.accepts(format!("{kind}, file: we sign"), ours::sign_blob(&blob, &ours, &by));
        judge.accepts(
            format!("{kind}, file: cosign 3 verifies"),
            cosign.run(format!("verify-blob {ROOT} {who} --bundle {} blob", ours.display())),
        );
        let by = format!("--yes --signing-config {config} {ROOT} --identity-token {token}");
        judge.accepts(
            format!("{kind}, file: cosign 3 signs"),
            cosign.run(format!("sign-blob {by} --bundle {} blob", theirs.display())),
        );
        judge.accepts(format!("{kind}, file: we verify"), ours::verify_blob(&blob, &theirs, &trust));

        // cosign's older layout knows Rekor v1 alone; which authority is meant, its commands say.
        for (time, option) in
            [("no time", String::new()), ("time", format!("--timestamp-server-url {}", stack.address("TSA")))]
        {
            let at = format!("{kind}, old, {time}");
            let image = bench.image(&format!("{kind}-old-{}", time.replace(' ', "-")));
            let by = format!(
                "--yes --rekor-url {} --fulcio-url {} --identity-token {token} {option}",
                stack.address("REKOR1"),
                stack.address("FULCIO")
            );
            judge.accepts(format!("{at}: cosign 2 signs"), cosign2.run(format!("sign {by} {image}")));
            judge.accepts(
                format!("{at}: cosign 2 attests"),
                cosign2.run(format!("attest {by} --type {PROVENANCE} --predicate predicate.json {image}")),
            );
            judge.accepts(format!("{at}: we verify the signature"), ours::verify(&image, None, &trust));
            judge.accepts(
                format!("{at}: we verify the attestation"),
                ours::verify(&image, Some(PROVENANCE), &trust),
            );
            // Of an image cosign 3 falls back to the older layout, so the bundle is asked about by itself.
            let brought = stack.directory.join("brought.json");
            judge.accepts(
                format!("{at}: we bring the attestation into a bundle"),
                ours::migrate(&image, &brought),
            );
            let digest = image.rsplit(':').next().unwrap_or_default();
            let asked =
                format!("verify-blob-attestation {ROOT} {who} --type {PROVENANCE} --digestAlg sha256");
            judge.accepts(
                format!("{at}: cosign 3 verifies the bundle"),
                cosign.run(format!("{asked} --bundle brought.json --digest {digest}")),
            );
        }
    }
    judge.end(2 * (5 * 9 + 4 + 2 * 6));
}

#[test]
fn what_is_wrong_is_refused_on_both_sides() {
    let Some(bench) = Bench::new() else { return };
    let Bench { stack, cosign, cosign2 } = &bench;
    let mut judge = Judge::default();
    let (_, identity, issuer) = WHO[0];
    let (_, other_identity, other_issuer) = WHO[1];
    let token = stack.token("github");
    let who = format!("--certificate-identity {identity} --certificate-oidc-issuer {issuer}");
    let config = |name: &str| stack.file(&format!("signing_config_{name}.json"));
    let ours_by = |name: &str| format!("--identity-token {token} --signing-config {}", config(name));
    let cosign_by =
        |name: &str| format!("--yes --signing-config {} {ROOT} --identity-token {token}", config(name));

    // One image that each side signed, and what is asked of it that is not so.
    for signer in ["us", "cosign"] {
        let image = bench.image(&format!("by-{signer}"));
        if signer == "us" {
            ours::sign(&image, &ours_by("both")).unwrap();
            ours::attest(&image, OTHER, &ours_by("both")).unwrap();
        } else {
            cosign.run(format!("sign {} {image}", cosign_by("both"))).unwrap();
            cosign
                .run(format!(
                    "attest {} --type {OTHER} --predicate predicate.json {image}",
                    cosign_by("both")
                ))
                .unwrap();
        }
        let elsewhere = bench.image(&format!("not-by-{signer}"));
        ours::move_over(&image, &elsewhere);
        let root = bench.root();
        let other_root = format!("--trusted-root {}", stack.file("trusted_root_other.json"));
        let id = |identity: &str, issuer: &str| {
            format!("--certificate-identity {identity} --certificate-oidc-issuer {issuer}")
        };
        for (what, image, who, root, ours_says, cosign_says) in [
            (
                "identity",
                &image,
                id(other_identity, issuer),
                &root,
                "FAILS  signer",
                "no matching CertificateIdentity",
            ),
            (
                "issuer",
                &image,
                id(identity, other_issuer),
                &root,
                "FAILS  signer",
                "no matching CertificateIdentity",
            ),
            (
                "artifact",
                &elsewhere,
                who.clone(),
                &root,
                "FAILS  statement",
                "does not match any digest in statement",
            ),
            ("root", &image, who.clone(), &other_root, "FAILS  timestamp", "not enough verified log entries"),
        ] {
            let at = format!("by {signer}, another {what}");
            judge.refuses(
                format!("{at}: we, the signature"),
                ours_says,
                ours::verify(image, None, &format!("{who} {root}")),
            );
            judge.refuses(
                format!("{at}: we, the attestation"),
                ours_says,
                ours::verify(image, Some(OTHER), &format!("{who} {root}")),
            );
            judge.refuses(
                format!("{at}: cosign 3, the signature"),
                cosign_says,
                cosign.run(format!("verify {root} {who} {image}")),
            );
            judge.refuses(
                format!("{at}: cosign 3, the attestation"),
                cosign_says,
                cosign.run(format!("verify-attestation {root} {who} --type {OTHER} {image}")),
            );
        }
        let at = format!("by {signer}, another type of predicate");
        let trust = format!("{who} {root}");
        judge.refuses(format!("{at}: we"), "0 hold", ours::verify(&image, Some(PROVENANCE), &trust));
        judge.refuses(
            format!("{at}: cosign 3"),
            "none of the attestations matched the predicate type",
            cosign.run(format!("verify-attestation {root} {who} --type {PROVENANCE} {image}")),
        );
    }

    // What a witness did not see.
    let trust = format!("{who} {}", bench.root());
    for (services, missing, ours_says, cosign_says) in [
        ("nolog", "log entry", "entries in 0 logs", "not enough verified log entries"),
        ("noct", "SCT", "FAILS  sct", "only able to verify 0 SCT entries"),
    ] {
        let image = bench.image(services);
        ours::sign(&image, &ours_by(services)).unwrap();
        judge.refuses(format!("no {missing}: we"), ours_says, ours::verify(&image, None, &trust));
        judge.refuses(
            format!("no {missing}: cosign 3"),
            cosign_says,
            cosign.run(format!("verify {ROOT} {who} {image}")),
        );
        let (policy, options) = match services {
            "nolog" => ("nolog", "--insecure-ignore-tlog --use-signed-timestamps"),
            _ => ("nosct", "--insecure-ignore-sct"),
        };
        judge.accepts(
            format!("no {missing}, and none wanted: we"),
            ours::verify(&image, None, &format!("{trust} --policy {policy}")),
        );
        judge.accepts(
            format!("no {missing}, and none wanted: cosign 3"),
            cosign.run(format!("verify {ROOT} {who} {options} {image}")),
        );
    }

    // Keys.
    bench.key("mine", Scheme::EcdsaP256Sha256, 7);
    bench.key("theirs", Scheme::EcdsaP256Sha256, 8);
    let key = format!("--key {}", stack.file("mine.pem"));
    let image = bench.image("key");
    ours::sign(&image, &key).unwrap();
    ours::attest(&image, PROVENANCE, &key).unwrap();
    let old = bench.image("key-old");
    ours::sign_old(&old, &key).unwrap();
    ours::attest_old(&old, PROVENANCE, &key).unwrap();
    let (moved, moved_old) = (bench.image("key-moved"), bench.image("key-old-moved"));
    ours::move_over(&image, &moved);
    ours::move_over(&old, &moved_old);
    for (what, name, image, old, ours_says, cosign_says) in [
        (
            "key",
            "theirs",
            &image,
            &old,
            "FAILS  signature",
            ["signatures do not match threshold", "invalid signature", "signatures do not match threshold"],
        ),
        (
            "artifact",
            "mine",
            &moved,
            &moved_old,
            "FAILS  statement",
            [
                "does not match any digest in statement",
                "invalid or missing digest in claim",
                "no matching subject digest found",
            ],
        ),
    ] {
        let trust = format!("--key {} {} --policy bare", stack.file(&format!("{name}.pub")), bench.root());
        let key = format!("--key {name}.pub --insecure-ignore-tlog");
        for (layout, image) in [("bundle", image), ("old", old)] {
            judge.refuses(
                format!("another {what}, {layout}: we, the signature"),
                ours_says,
                ours::verify(image, None, &trust),
            );
            judge.refuses(
                format!("another {what}, {layout}: we, the attestation"),
                ours_says,
                ours::verify(image, Some(PROVENANCE), &trust),
            );
            let (option, because) = match layout {
                "old" => ("--new-bundle-format=false", cosign_says[1]),
                _ => ("", cosign_says[0]),
            };
            judge.refuses(
                format!("another {what}, {layout}: cosign 3, the signature"),
                because,
                cosign.run(format!("verify {option} {ROOT} {key} {image}")),
            );
        }
        judge.refuses(
            format!("another {what}, old: cosign 2, the signature"),
            cosign_says[1],
            cosign2.run(format!("verify {key} {old}")),
        );
        judge.refuses(
            format!("another {what}, old: cosign 2, the attestation"),
            cosign_says[2],
            cosign2.run(format!("verify-attestation {key} --type {PROVENANCE} {old}")),
        );
    }
    judge.end(2 * (4 * 4 + 2) + 2 * 4 + 2 * (2 * 3 + 2));
}
