//! Registries and the tools around them: what we push they pull, what they push we pull, and no digest changes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test states what must hold, finds its peers in the environment and says what it measured"
)]

#[path = "registry/kills.rs"]
mod kills;
#[path = "registry/peer_registry.rs"]
mod peer_registry;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use lotse_oci::client::{Client, Options, PlainHttp, Roots};
use lotse_oci::registry::{self, Registry};
use lotse_oci::{
    ArtifactBuilder, Compression, Descriptor, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Manifest,
    Platform,
};
use lotse_tests::peer;
use peer_registry::{DockerRegistry, Serving, accepted};
use tempfile::TempDir;

/// A tree with what trees have, in a directory and as an image.
fn sample(directory: &Path) -> (Layout, Descriptor) {
    let tree = directory.join("tree");
    fs::create_dir_all(tree.join("usr/share/empty")).unwrap();
    fs::create_dir_all(tree.join("bin")).unwrap();
    fs::write(tree.join("usr/share/text"), "text\n".repeat(20_000)).unwrap();
    fs::write(tree.join("bin/app"), kills::noise(1, 300_000)).unwrap();
    std::os::unix::fs::symlink("../bin/app", tree.join("usr/app")).unwrap();
    let set = |path: &str, mode: u32| {
        fs::set_permissions(tree.join(path), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    set("bin/app", 0o755);
    set("usr/share/text", 0o644);
    for path in ["bin", "usr", "usr/share", "usr/share/empty"] {
        set(path, 0o755);
    }
    let layout = Layout::create(directory.join("layout"), Limits::default()).unwrap();
    let mut files = FileTree::new();
    files.add_from_disk(&tree, "", &|_| true).unwrap();
    let layer = layout.write_layer(&files, &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    let image = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&layer, "copy tree")
        .configure(|config| config.config.cmd = Some(vec!["/bin/app".to_owned()]))
        .write(&layout, "v1")
        .unwrap();
    (layout, image.descriptor)
}

fn client() -> Client {
    Client::new(Options::default()).unwrap()
}

/// The same tree, as `diff -r` and the modes of its files see it.
fn assert_same_tree(one: &Path, other: &Path) {
    accepted(Command::new("diff").args(["-r", "--no-dereference"]).arg(one).arg(other));
    let modes = |root: &Path| {
        let listing =
            accepted(Command::new("find").arg(root).args(["-mindepth", "1", "-printf", "%P %y %m %l\\n"]));
        let mut lines: Vec<String> = listing.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(modes(one), modes(other));
}

/// Our own registry always, docker-registry if it is there, distribution 3 if it was built.
fn registries(directory: &Path) -> Vec<(&'static str, Box<dyn Serving>)> {
    let own = Registry::start(registry::Options::default()).unwrap();
    let mut found: Vec<(&'static str, Box<dyn Serving>)> = vec![("ours", Box::new(own))];
    if let Some(docker) = DockerRegistry::start("docker-registry", &directory.join("docker-registry")) {
        found.push(("docker-registry", Box::new(docker)));
    }
    if let Some(three) = DockerRegistry::start_if_there("registry", &directory.join("distribution-3")) {
        found.push(("distribution 3", Box::new(three)));
    }
    found
}

#[test]
fn skopeo_umoci_and_we_move_one_image_and_its_digest_stays() {
    let (Some(skopeo), Some(umoci)) = (peer("skopeo"), peer("umoci")) else { return };
    let is_root = accepted(Command::new("id").arg("-u")).trim() == "0";
    let directory = TempDir::new().unwrap();
    let (layout, image) = sample(directory.path());
    for (name, registry) in registries(directory.path()) {
        let work = directory.path().join(name);
        fs::create_dir_all(&work).unwrap();
        let host = registry.address();
        let target = format!("{host}/team/app:v1").parse().unwrap();
        assert_eq!(client().push(&layout, "v1", &target).unwrap().digest, image.digest, "{name}");
        // Out by skopeo, and unpacked by umoci.
        let back = work.join("back");
        let copy = |from: &str, to: &str| {
            accepted(
                Command::new(&skopeo)
                    .args([
                        "--insecure-policy",
                        "copy",
                        "-q",
                        "--src-tls-verify=false",
                        "--dest-tls-verify=false",
                    ])
                    .args([from, to]),
            )
        };
        copy(&format!("docker://{host}/team/app:v1"), &format!("oci:{}:v1", back.display()));
        let copied = Layout::open(&back, Limits::default()).unwrap();
        assert_eq!(copied.resolve("v1").unwrap().digest, image.digest, "{name}: skopeo's copy");
        let bundle = work.join("bundle");
        accepted(
            Command::new(&umoci)
                .arg("unpack")
                .args((!is_root).then_some("--rootless"))
                .args(["--image", &format!("{}:v1", back.display())])
                .arg(&bundle),
        );
        assert_same_tree(&directory.path().join("tree"), &bundle.join("rootfs"));
        // In by skopeo, and out by us.
        copy(&format!("oci:{}:v1", layout.path().display()), &format!("docker://{host}/theirs/app:v2"));
        let ours = Layout::create(work.join("ours"), Limits::default()).unwrap();
        let theirs = format!("{host}/theirs/app:v2").parse().unwrap();
        assert_eq!(client().pull(&theirs, &ours, "v2").unwrap().digest, image.digest, "{name}: our pull");
        assert_eq!(
            ours.read_blob(&ours.resolve("v2").unwrap()).unwrap(),
            layout.read_blob(&image).unwrap(),
            "{name}: byte for byte"
        );
        assert_eq!(client().tags(&theirs).unwrap(), ["v2"], "{name}");
        // Between repositories by us, and looked at by skopeo.
        let third = format!("{host}/third/app:v3").parse().unwrap();
        client().copy(&theirs, &third).unwrap();
        let raw = accepted(Command::new(&skopeo).args([
            "inspect",
            "--raw",
            "--tls-verify=false",
            &format!("docker://{host}/third/app:v3"),
        ]));
        assert_eq!(lotse_digest::Digest::sha256(raw.as_bytes()), image.digest, "{name}");
    }
}

#[test]
fn buildah_pulls_and_mounts_what_we_push_and_we_pull_what_it_pushes() {
    let Some(buildah) = peer("buildah") else { return };
    let directory = TempDir::new().unwrap();
    let (layout, _) = sample(directory.path());
    let storage = directory.path().join("storage");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&buildah);
        command.arg("--storage-driver").arg("vfs");
        command.arg("--root").arg(storage.join("root")).arg("--runroot").arg(storage.join("run"));
        accepted(command.args(arguments).env("BUILDAH_ISOLATION", "chroot")).trim().to_owned()
    };
    for (name, registry) in registries(directory.path()) {
        let host = registry.address();
        let target = format!("{host}/team/app:v1").parse().unwrap();
        client().push(&layout, "v1", &target).unwrap();
        let policy = directory.path().join("policy.json");
        fs::write(&policy, r#"{"default":[{"type":"insecureAcceptAnything"}]}"#).unwrap();
        let policy = policy.display().to_string();
        let image = format!("docker://{host}/team/app:v1");
        let container = run(&["from", "--signature-policy", &policy, "--tls-verify=false", &image]);
        let mounted = run(&["mount", &container]);
        assert_same_tree(&directory.path().join("tree"), Path::new(&mounted));
        run(&["config", "--label", "lotse=test", &container]);
        let theirs = format!("docker://{host}/theirs/app:v1");
        run(&[
            "commit",
            "--signature-policy",
            &policy,
            "--tls-verify=false",
            "--timestamp",
            "0",
            &container,
            &theirs,
        ]);
        run(&["umount", &container]);
        run(&["rm", &container]);
        let ours = Layout::create(directory.path().join(name).join("ours"), Limits::default()).unwrap();
        let theirs = format!("{host}/theirs/app:v1").parse().unwrap();
        let pulled = client().pull(&theirs, &ours, "v1").unwrap();
        let image = lotse_oci::Image::load(&ours, &pulled).unwrap();
        assert_eq!(image.config.config.labels.get("lotse").map(String::as_str), Some("test"), "{name}");
    }
}

#[test]
fn oras_pulls_the_artifact_that_we_push_and_we_pull_its_own() {
    let Some(python) = peer("python3") else { return };
    let found = Command::new(&python).args(["-c", "import oras"]).output().unwrap().status.success();
    if !found {
        let required = std::env::var("LOTSE_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(!required, "the peer oras (PyPI) is not in {}", python.display());
        eprintln!("skipped: the peer oras (PyPI) is not in {}", python.display());
        return;
    }
    let directory = TempDir::new().unwrap();
    for (name, registry) in registries(directory.path()) {
        let host = registry.address();
        let work = directory.path().join(name);
        fs::create_dir_all(&work).unwrap();
        let layout = Layout::create(work.join("layout"), Limits::default()).unwrap();
        let report = ArtifactBuilder::new("application/vnd.example.report");
        let report = report.file(&layout, "report.txt", "text/plain", b"an artifact\n").unwrap();
        report.write(&layout, Some("v1")).unwrap();
        client().push(&layout, "v1", &format!("{host}/team/report:v1").parse().unwrap()).unwrap();
        fs::write(work.join("o.txt"), "theirs\n").unwrap();
        let script = format!(
            "from oras.client import OrasClient\n\
             c = OrasClient(hostname='{host}', insecure=True)\n\
             print(c.pull(target='{host}/team/report:v1', outdir='out'))\n\
             c.push(target='{host}/theirs/report:v1', files=['o.txt'])\n"
        );
        accepted(Command::new(&python).args(["-c", &script]).current_dir(&work));
        assert_eq!(fs::read(work.join("out/report.txt")).unwrap(), b"an artifact\n", "{name}");
        let theirs = format!("{host}/theirs/report:v1").parse().unwrap();
        let document = client().manifest(&theirs).unwrap();
        let manifest = Manifest::parse(&document.bytes, &Limits::default()).unwrap();
        assert_eq!(client().blob(&theirs, &manifest.layers[0], 100).unwrap(), b"theirs\n", "{name}");
    }
}

#[test]
fn what_docker_registry_lacks_is_made_good() {
    // No referrers API, an If-Match that counts for nothing: the list under the tag, with several writers.
    let directory = TempDir::new().unwrap();
    let Some(registry) = DockerRegistry::start("docker-registry", &directory.path().join("registry")) else {
        return;
    };
    let (layout, image) = sample(directory.path());
    let target = format!("{}/team/app:v1", registry.address()).parse().unwrap();
    client().push(&layout, "v1", &target).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..3_u8 {
            let target = &target;
            scope.spawn(move || {
                for number in 0..3_u8 {
                    let note = [writer, number];
                    client().attach(target, "application/vnd.example.note", &note, BTreeMap::new()).unwrap();
                }
            });
        }
    });
    let found = client().referrers(&target, Some("application/vnd.example.note")).unwrap();
    assert_eq!(found.len(), 9, "no writer's entry is lost");
    let gone = target.pinned(found[0].digest.clone());
    assert!(client().delete(&gone).unwrap());
    assert_eq!(client().referrers(&target, None).unwrap().len(), 8);
    let listed = client().referrers(&target.pinned(image.digest), None).unwrap();
    assert!(!listed.iter().any(|entry| entry.digest == found[0].digest));
}

#[test]
fn an_encrypted_registry_is_believed_with_the_roots_that_are_given_and_no_others() {
    let Some(openssl) = peer("openssl") else { return };
    let directory = TempDir::new().unwrap();
    let run = |arguments: &str| {
        accepted(Command::new(&openssl).args(arguments.split(' ')).current_dir(directory.path()));
    };
    run(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test",
    );
    run(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf",
    );
    fs::write(directory.path().join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    run(
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -days 2 -out leaf.pem",
    );
    let (leaf, key) = (directory.path().join("leaf.pem"), directory.path().join("leaf.key"));
    let place = directory.path().join("registry");
    let Some(registry) = DockerRegistry::start_encrypted("docker-registry", &place, (&leaf, &key)) else {
        return;
    };
    let (layout, image) = sample(directory.path());
    let target = format!("{}/team/app:v1", registry.address()).parse().unwrap();
    let client = |roots| {
        let patience = lotse_oci::distribution::Patience { attempts: 1, ..Default::default() };
        Client::new(Options { roots, plain_http: PlainHttp::Never, patience, ..Options::default() }).unwrap()
    };
    let trusting = client(Roots::Pem(fs::read(directory.path().join("ca.pem")).unwrap()));
    assert_eq!(trusting.push(&layout, "v1", &target).unwrap().digest, image.digest);
    assert_eq!(trusting.resolve(&target).unwrap().digest, image.digest);
    for roots in [Roots::System, Roots::Pem(Vec::new())] {
        match client(roots.clone()).resolve(&target) {
            Err(lotse_oci::Error::Broken { reason, .. }) => {
                assert!(
                    reason.contains("certificate") || reason.contains("UnknownIssuer"),
                    "{roots:?}: {reason}"
                );
            }
            other => panic!("{roots:?}: {other:?}"),
        }
    }
}
