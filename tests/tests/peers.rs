//! What the release of the bundled application writes, in front of the field's own tools.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "a test states what must hold"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use lotse_oci::{Image, Layout, Limits};
use lotse_release::{Request, Spec, Verdict, release};
use lotse_sign::{Scheme, SigningKey};
use lotse_tests::{committed_armband, peer, test_key};
use lotse_yaml::{Dialect, Stream, Value, pointer_escape, to_yaml};

/// One release for all tests of this file, in the build's own directory for temporary files.
fn out() -> &'static Path {
    static OUT: OnceLock<PathBuf> = OnceLock::new();
    OUT.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        let _ = fs::remove_dir_all(&directory);
        let (app, out) = (directory.join("app"), directory.join("out"));
        committed_armband(&app);
        let request = Request { key: Some(test_key()), ..Request::new(&app, &out) };
        let report = release(&request, &mut ()).unwrap_or_else(|error| panic!("{}", error.chain()));
        assert_eq!(report.verdict, Verdict::Passed, "{}", report.to_table());
        out
    })
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn accepted(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
    text(&output)
}

fn refused(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success(), "it should have been refused: {command:?}\n{}", text(&output));
    text(&output)
}

/// The python that has the peers' packages stands beside pyspdxtools.
fn python() -> Option<PathBuf> {
    peer("pyspdxtools").map(|tool| tool.with_file_name("python3"))
}

fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn layout() -> Layout {
    Layout::open(out().join("images"), Limits::default()).unwrap()
}

fn tags() -> Vec<String> {
    let tags: Vec<String> =
        layout().index().unwrap().manifests.iter().filter_map(|d| d.tag().map(str::to_owned)).collect();
    assert_eq!(tags.len(), 4, "two images and two sets of manifests: {tags:?}");
    tags
}

#[test]
fn skopeo_copies_the_images_and_their_digests_stay() {
    let Some(skopeo) = peer("skopeo") else { return };
    let copies = tempfile::tempdir().unwrap();
    for tag in tags() {
        let digest = layout().resolve(&tag).unwrap().digest;
        let from = format!("oci:{}:{tag}", out().join("images").display());
        let to = format!("oci:{}:{tag}", copies.path().join("copy").display());
        accepted(Command::new(&skopeo).args(["--insecure-policy", "copy", "-q", &from, &to]));
        let inspected =
            accepted(Command::new(&skopeo).args(["inspect", "--raw", &to]).env("LC_ALL", "C.UTF-8"));
        assert_eq!(lotse_digest::Digest::sha256(inspected.as_bytes()), digest, "{tag}");
        let copied = Layout::open(copies.path().join("copy"), Limits::default()).unwrap();
        assert_eq!(copied.resolve(&tag).unwrap().digest, digest, "{tag}");
        if tag.contains("manifests") {
            continue; // An artifact, no image: skopeo has nothing to read out of its configuration.
        }
        let inspected = accepted(Command::new(&skopeo).args(["inspect", &from]));
        assert!(inspected.contains(&digest.to_string()), "{tag}: {inspected}");
    }
}

/// Path to kind, permissions, and content or target.
fn tree(root: &Path, below: &Path, found: &mut BTreeMap<PathBuf, (char, u32, Vec<u8>)>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        let entry = if metadata.is_dir() {
            tree(root, &path, found);
            ('d', mode, Vec::new())
        } else if metadata.is_symlink() {
            ('l', 0, fs::read_link(&path).unwrap().to_string_lossy().into_owned().into_bytes())
        } else {
            ('f', mode, fs::read(&path).unwrap())
        };
        found.insert(path.strip_prefix(root).unwrap().to_owned(), entry);
    }
}

#[test]
fn umoci_unpacks_what_we_unpack() {
    let Some(umoci) = peer("umoci") else { return };
    let root = accepted(Command::new("id").arg("-u")).trim() == "0";
    for tag in ["armband-app", "armband-nginx"] {
        let places = tempfile::tempdir().unwrap();
        let (theirs, ours) = (places.path().join("theirs"), places.path().join("ours"));
        let image = format!("{}:{tag}", out().join("images").display());
        accepted(
            Command::new(&umoci)
                .arg("unpack")
                .args((!root).then_some("--rootless"))
                .args(["--image", &image])
                .arg(&theirs),
        );
        let layout = layout();
        let image = Image::load(&layout, &layout.resolve(tag).unwrap()).unwrap();
        assert_eq!(
            lotse_oci::unpack(&layout, &image, &ours, &lotse_oci::UnpackOptions::default()).unwrap().left_out,
            []
        );
        let (mut theirs_tree, mut ours_tree) = (BTreeMap::new(), BTreeMap::new());
        tree(&theirs.join("rootfs"), &theirs.join("rootfs"), &mut theirs_tree);
        tree(&ours, &ours, &mut ours_tree);
        assert!(ours_tree.len() > 5, "{tag} has {} entries", ours_tree.len());
        assert_eq!(
            theirs_tree.keys().collect::<Vec<_>>(),
            ours_tree.keys().collect::<Vec<_>>(),
            "{tag}: other paths"
        );
        for (path, theirs) in &theirs_tree {
            assert!(
                *theirs == ours_tree[path],
                "{tag}: {} differs: {} {:o} and {} {:o}",
                path.display(),
                theirs.0,
                theirs.1,
                ours_tree[path].0,
                ours_tree[path].1
            );
        }
    }
}

#[test]
fn pyspdxtools_accepts_every_spdx_of_the_release() {
    let Some(tool) = peer("pyspdxtools") else { return };
    let documents = files(&out().join("sbom"), ".spdx.json");
    assert_eq!(documents.len(), 4);
    for document in documents {
        accepted(Command::new(&tool).arg("-i").arg(document));
    }
}

#[test]
fn the_strict_validator_of_cyclonedx_accepts_every_bom_of_the_release() {
    let Some(python) = python() else { return };
    let script = "
import sys
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.schema import SchemaVersion
validator = JsonStrictValidator(SchemaVersion.V1_6)
for path in sys.argv[1:]:
    error = validator.validate_str(open(path, encoding='utf-8').read())
    if error: sys.exit(path + ': ' + str(error)[:2000])
";
    let documents = files(&out().join("sbom"), ".cdx.json");
    assert_eq!(documents.len(), 4);
    accepted(Command::new(&python).args(["-c", script]).args(&documents));
    // It would have told: a word that the format does not have.
    let broken = tempfile::tempdir().unwrap();
    let path = broken.path().join("broken.cdx.json");
    let text = fs::read_to_string(&documents[0]).unwrap();
    fs::write(&path, text.replacen("\"components\"", "\"componints\"", 1)).unwrap();
    refused(Command::new(&python).args(["-c", script]).arg(&path));
}

fn documents(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).unwrap();
    let stream = Stream::parse(&bytes, Dialect::Kubectl, &lotse_yaml::Limits::manifests()).unwrap();
    stream.values().unwrap()
}

#[test]
fn kubernetes_validate_accepts_every_core_manifest() {
    let Some(tool) = peer("kubernetes-validate") else { return };
    let manifests = files(&out().join("manifests"), ".yaml");
    let all: usize = manifests.iter().map(|path| documents(path).len()).sum();
    let (mut passed, mut unknown) = (0, BTreeMap::<String, usize>::new());
    let said = accepted(Command::new(&tool).args(["-k", "1.33", "--strict"]).args(&manifests));
    for line in said.lines() {
        if line.starts_with("INFO") && line.contains(" passed for resource ") {
            passed += 1;
        } else if let Some((_, kind)) = line.split_once("Couldn't find schema for kind ") {
            let kind = kind.split(" for kubernetes").next().unwrap();
            *unknown.entry(kind.replace(" with api version ", " ")).or_default() += 1;
        } else {
            panic!("{line}");
        }
    }
    eprintln!("{passed} of {all} documents accepted; without a schema: {unknown:?}");
    assert_eq!(passed + unknown.values().sum::<usize>(), all, "{said}");
    assert!(passed >= 70, "{passed}");
    // Whatever it has no schema for is of a custom resource, and named here.
    let kinds: Vec<&str> = unknown.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "AppProject argoproj.io/v1alpha1",
            "Application argoproj.io/v1alpha1",
            "ApplicationSet argoproj.io/v1alpha1",
            "Certificate cert-manager.io/v1",
            "ExternalSecret external-secrets.io/v1",
            "Kustomization kustomize.toolkit.fluxcd.io/v1",
            "OCIRepository source.toolkit.fluxcd.io/v1",
            "PrometheusRule monitoring.coreos.com/v1",
            "Schedule velero.io/v1",
        ]
    );
    // It would have told: a word that the API does not have.
    let broken = tempfile::tempdir().unwrap();
    let path = broken.path().join("broken.yaml");
    let app = fs::read_to_string(out().join("manifests/production/20-app.yaml")).unwrap();
    assert!(app.contains("readOnlyRootFilesystem:"));
    fs::write(&path, app.replacen("readOnlyRootFilesystem:", "readOnlyRootFileSystem:", 1)).unwrap();
    refused(Command::new(&tool).args(["-k", "1.33", "--strict"]).arg(&path));
}

#[test]
fn kubectl_decodes_every_manifest_to_the_values_we_mean() {
    let Some(kubectl) = peer("kubectl") else { return };
    let manifests = files(&out().join("manifests"), ".yaml");
    let mut compared = 0;
    for path in &manifests {
        let mut ours = documents(path);
        for document in &mut ours {
            let metadata =
                document.pointer_mut("/metadata").and_then(Value::as_object_mut).expect("metadata");
            if metadata.get("labels").is_none() {
                metadata.insert("labels", lotse_yaml::Map::new());
            }
            let labels = metadata.get_mut("labels").and_then(Value::as_object_mut).unwrap();
            labels.insert("lotse-test", "1");
        }
        let mut command = Command::new(&kubectl);
        command.args(["label", "--local", "-o", "json", "lotse-test=1", "-f"]).arg(path);
        let theirs = accepted(command.env("KUBECONFIG", "/dev/null"));
        // One JSON document after the other is a YAML stream too, but only with marks between them.
        let theirs = theirs.replace("\n}\n{\n", "\n}\n---\n{\n");
        let limits = lotse_yaml::Limits::manifests();
        let theirs = Stream::parse(theirs.as_bytes(), Dialect::Kubectl, &limits).unwrap().values().unwrap();
        assert_eq!(theirs.len(), ours.len(), "{}", path.display());
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(theirs.to_json_sorted(), ours.to_json_sorted(), "{}", path.display());
            compared += 1;
        }
    }
    eprintln!("{compared} documents of {} files decoded alike", manifests.len());
    assert!(compared >= 100, "{compared}");
}

#[test]
fn cosign_verifies_the_attestations_with_the_key_alone() {
    let Some(cosign) = peer("cosign") else { return };
    let key = out().join("key.pub.pem");
    let verify = |key: &Path, bundle: &Path, kind: &str, artifact: &Path| {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(&cosign);
        command
            .args(["verify-blob-attestation", "--insecure-ignore-tlog=true", "--type", kind, "--key"])
            .arg(key)
            .arg("--bundle")
            .arg(bundle)
            .arg(artifact)
            .env("HOME", home.path())
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        (output.status.success(), text(&output))
    };
    let manifest = |component: &str| {
        let layout = layout();
        layout.blob_path(&layout.resolve(&format!("armband-{component}")).unwrap().digest)
    };
    for component in ["app", "nginx"] {
        let other = manifest(if component == "app" { "nginx" } else { "app" });
        for (kind, name) in
            [("slsaprovenance1", "provenance"), ("cyclonedx", "cyclonedx"), ("spdxjson", "spdx")]
        {
            let bundle = out().join(format!("attestations/{component}.{name}.sigstore.json"));
            let (verified, said) = verify(&key, &bundle, kind, &manifest(component));
            assert!(verified && said.contains("Verified OK"), "{component} {name}: {said}");
            let (verified, said) = verify(&key, &bundle, kind, &other);
            assert!(
                !verified && said.contains("do not match digests in statement"),
                "another artifact: {said}"
            );
        }
    }
    let (bundle, artifact) = (out().join("attestations/app.provenance.sigstore.json"), manifest("app"));
    let scratch = tempfile::tempdir().unwrap();
    let stranger = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[9; 32]).unwrap();
    let other = scratch.path().join("stranger.pub.pem");
    fs::write(&other, stranger.verifying_key().to_pem()).unwrap();
    let (verified, said) = verify(&other, &bundle, "slsaprovenance1", &artifact);
    assert!(!verified && said.contains("could not verify envelope"), "another key: {said}");
    // The bundle of another key, in the place of ours.
    let ours = lotse_sign::Bundle::parse(&fs::read(&bundle).unwrap()).unwrap();
    let statement = ours.unverified_statement().unwrap().to_vec();
    let forged = lotse_sign::Bundle::sign_statement(statement, &stranger).unwrap().to_json().unwrap();
    let path = scratch.path().join("forged.sigstore.json");
    fs::write(&path, forged).unwrap();
    let (verified, said) = verify(&key, &path, "slsaprovenance1", &artifact);
    assert!(!verified && said.contains("could not verify envelope"), "a bundle of another key: {said}");
    let (verified, said) = verify(&key, &bundle, "cyclonedx", &artifact);
    assert!(!verified && said.contains("invalid predicate type"), "another predicate: {said}");
}

/// What a change does to a specification, and the changed specification.
struct Mutation {
    name: String,
    value: Value,
}

/// Every value of the specification replaced by one of another type, every object with a word too much, every key removed.
fn mutations(value: &Value) -> Vec<Mutation> {
    let mut pointers = Vec::new();
    collect(value, "", &mut pointers);
    let mut found = Vec::new();
    for (number, pointer) in pointers.iter().enumerate() {
        let mut change = |name: &str, change: &dyn Fn(&mut Value)| {
            let mut changed = value.clone();
            change(changed.pointer_mut(pointer).unwrap());
            found.push(Mutation { name: format!("{name} at {pointer:?}"), value: changed });
        };
        let there = value.pointer(pointer).unwrap();
        if there.as_object().is_some() {
            change("a word too much", &|value| {
                value.as_object_mut().unwrap().insert("nonsense", "x");
            });
            let keys: Vec<String> = there.as_object().unwrap().keys().map(str::to_owned).collect();
            for key in keys {
                change(&format!("without {key}"), &|value| {
                    value.as_object_mut().unwrap().remove(&key);
                });
            }
        }
        let others: [(&str, Value); 6] = [
            ("a list", Value::Array(vec![Value::from("x"), Value::from("x")])),
            ("a number", Value::from(-7_i64)),
            ("a text", Value::from("No Such!")),
            ("a truth", Value::from(true)),
            ("nothing", Value::Null),
            ("an object", Value::Object([("Q q".to_owned(), Value::from("x"))].into_iter().collect())),
        ];
        let (name, other) = &others[number % others.len()];
        change(name, &|value| *value = other.clone());
        if let Value::Number(number) = there {
            change("its number as a text", &|value| *value = Value::from(number.to_string()));
        }
    }
    found
}

fn collect(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    for (key, value) in value.as_object().into_iter().flatten() {
        collect(value, &format!("{pointer}/{}", pointer_escape(key)), found);
    }
    for (index, value) in value.as_array().unwrap_or_default().iter().enumerate() {
        collect(value, &format!("{pointer}/{index}"), found);
    }
}

const VALIDATOR: &str = r"
import json, re, sys, yaml
from jsonschema import Draft7Validator
schema = json.load(open(sys.argv[1], encoding='utf-8'))
Draft7Validator.check_schema(schema)
validator = Draft7Validator(schema)
# YAML 1.2, as editors read it; PyYAML's own loader would make dates of texts.
class Core(yaml.SafeLoader): pass
Core.yaml_implicit_resolvers = {}
for tag, pattern in [('null', r'(?:~|null|Null|NULL|)'), ('bool', r'(?:true|True|TRUE|false|False|FALSE)'),
                     ('int', r'[-+]?[0-9]+'), ('float', r'[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?')]:
    Core.add_implicit_resolver('tag:yaml.org,2002:' + tag, re.compile('^' + pattern + '$'), None)
for line in sys.stdin:
    error = next(validator.iter_errors(yaml.load(json.loads(line), Core)), None)
    print('accepted' if error is None else 'refused ' + json.dumps(error.message[:200]))
";

fn schema_says(python: &Path, specifications: &[String]) -> Vec<String> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lotse.schema.json");
    let mut command = Command::new(python);
    let mut child = command
        .args(["-c", VALIDATOR])
        .arg(schema)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for specification in specifications {
        lines += &Value::from(specification.as_str()).to_json();
        lines.push('\n');
    }
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let said: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(said.len(), specifications.len());
    said
}

#[test]
fn a_json_schema_validator_agrees_with_the_parser() {
    let Some(python) = python() else { return };
    let original = fs::read_to_string(lotse_tests::armband().join("lotse.yaml")).unwrap();
    let limits = lotse_yaml::Limits::manifests();
    let value = Stream::parse(original.as_bytes(), Dialect::Yaml12, &limits).unwrap().values().unwrap();
    let mutations = mutations(&value[0]);
    let mut specifications = vec![
        original.clone(),
        to_yaml(&value[0]),
        original.replacen("lotse: v1", "lotse: v9", 1),
        original.replacen("components:", "componentz:", 1),
    ];
    let fixed = specifications.len();
    specifications.extend(mutations.iter().map(|mutation| to_yaml(&mutation.value)));
    let schema = schema_says(&python, &specifications);
    assert_eq!(schema[..2], ["accepted", "accepted"]);
    assert!(schema[2].starts_with("refused") && schema[3].starts_with("refused"), "{:?}", &schema[..4]);
    let (mut both, mut parser_only, mut neither) = (0, 0, 0);
    let mut holes = BTreeSet::new();
    for ((specification, schema), mutation) in
        specifications[fixed..].iter().zip(&schema[fixed..]).zip(&mutations)
    {
        let parser = Spec::parse("lotse.yaml", specification.as_bytes());
        match (schema == "accepted", parser.is_ok()) {
            (false, false) => both += 1,
            (true, false) => parser_only += 1,
            (true, true) => neither += 1,
            (false, true) => {
                holes.insert(format!("{}: {schema}", mutation.name));
            }
        }
    }
    eprintln!(
        "{} mutations: {both} refused by both, {parser_only} by the parser alone, {neither} still right",
        mutations.len()
    );
    assert!(holes.is_empty(), "the schema refuses what the parser takes: {holes:#?}");
    assert!(mutations.len() >= 200 && both >= 100, "{} mutations, {both} refused", mutations.len());
}
