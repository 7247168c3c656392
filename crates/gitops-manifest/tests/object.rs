//! Objects of a file: what they are and where they stand.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test states what must hold"
)]

use lotse_gitops_manifest::{ContainerRole, Object, ObjectError};
use lotse_yaml::Limits;

fn read(text: &str) -> Result<Vec<Object>, ObjectError> {
    Object::parse_all("a.yaml", text.as_bytes(), &Limits::manifests())
}

#[test]
fn lists_are_unpacked_and_keep_their_lines() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: s, namespace: shop}\n\
                - apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: d\n    labels: {a: b}\n  spec:\n    template:\n\
                \x20     spec:\n        initContainers: [{name: i, image: x}]\n        containers:\n        - name: c\n---\n---\n";
    let objects = read(text).unwrap();
    assert_eq!(
        objects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Service shop/s", "Deployment d"]
    );
    let deployment = &objects[1];
    assert_eq!(deployment.labels().collect::<Vec<_>>(), [("a", "b")]);
    assert_eq!((deployment.group(), deployment.namespace()), ("apps", None));
    assert_eq!(deployment.place().pointer, "/items/1");
    assert_eq!(deployment.position("/metadata/name").unwrap().to_string(), "10:11");
    let containers = deployment.pod_template().unwrap().containers();
    assert_eq!(containers[0].role(), ContainerRole::Init);
    assert_eq!(containers[1].pointer(), "/spec/template/spec/containers/0");
    assert_eq!(deployment.position(&format!("{}/image", containers[1].pointer())).unwrap().line, 17);
    assert!(objects[0].pod_template().is_none());
}

#[test]
fn what_is_no_object_is_refused_with_its_place() {
    for (text, place) in [
        ("a: 1\n", "a.yaml:1:1"),
        ("kind: X\n---\nx\n", "a.yaml:1:1"),
        ("apiVersion: v1\nkind: [\n", "a.yaml:"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(place), "{error}");
    }
    assert!(read("apiVersion: v1\nkind: List\nitems: [{a: 1}]\n").is_err());
    assert!(read("").unwrap().is_empty());
}
