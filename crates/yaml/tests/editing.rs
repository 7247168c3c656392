//! One scalar changes, nothing else does, or the reason is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must hold")]

use lotse_yaml::{Dialect, EditRefusal, Error, Limits, set_scalar};

fn set(text: &str, document: usize, pointer: &str, new: &str) -> Result<String, Error> {
    let edit = set_scalar(text.as_bytes(), Dialect::Kubectl, document, pointer, new, &Limits::small_file())?;
    Ok(String::from_utf8(edit.into_bytes()).unwrap())
}

#[test]
fn the_quoting_stays() {
    let table = [
        ("a: x # c\n", "/a", "z", "a: z # c\n"),
        ("a: 'x'\n", "/a", "it's", "a: 'it''s'\n"),
        ("a: \"x\"\n", "/a", "q\"", "a: \"q\\\"\"\n"),
        ("a: x\n", "/a", "yes", "a: \"yes\"\n"),
        ("a: x\n", "/a", "0644", "a: \"0644\"\n"),
        ("a: 3\n", "/a", "5", "a: 5\n"),
        ("a: 80\n", "/a", "http", "a: http\n"),
        ("a: true\n", "/a", "false", "a: false\n"),
        ("a: true\n", "/a", "yes", "a: \"yes\"\n"),
        ("a: [x, y]\n", "/a/1", "z, z", "a: [x, \"z, z\"]\n"),
        ("a: |\n  x\n  y\nb: 1\n", "/a", "1\n\n2\n", "a: |\n  1\n\n  2\nb: 1\n"),
        ("a: |-\r\n  x\r\n\r\nb: 1\r\n", "/a", "1\n2", "a: |-\r\n  1\r\n  2\r\n\r\nb: 1\r\n"),
        ("\u{feff}a: &n x\n", "/a", "z", "\u{feff}a: &n z\n"),
        ("a: x", "/a", "z", "a: z"),
        ("x: 1\n---\na: 2\n...\n", "/a", "3", ""),
    ];
    for (text, pointer, new, expected) in table {
        let (document, expected) =
            if expected.is_empty() { (1, "x: 1\n---\na: 3\n...\n") } else { (0, expected) };
        assert_eq!(set(text, document, pointer, new).unwrap(), expected, "{text:?}");
    }
}

#[test]
fn what_cannot_be_changed_alone_is_refused_by_name() {
    let table = [
        ("a: x\n", 1, "/a", EditRefusal::NoDocument),
        ("a: x\n", 0, "/b", EditRefusal::NotFound),
        ("a: x\n", 0, "a", EditRefusal::NotFound),
        ("a: {b: x}\n", 0, "/a", EditRefusal::NotScalar),
        ("a: &n x\nb: *n\n", 0, "/b", EditRefusal::Alias("n".to_owned())),
        ("a: &n {x: 1}\nb: *n\n", 0, "/a/x", EditRefusal::Shared("n".to_owned())),
        ("a: &n {x: 1}\nb: {<<: *n}\n", 0, "/b/x", EditRefusal::Merge),
        ("a: &n {x: 1}\nb: {x: 2, <<: *n}\n", 0, "/b/x", EditRefusal::NotAlone),
        ("a: x\na: y\n", 0, "/a", EditRefusal::DuplicateKey),
        ("a:\nb: 1\n", 0, "/a", EditRefusal::Empty),
        ("a: !!str x\n", 0, "/a", EditRefusal::Tagged("tag:yaml.org,2002:str".to_owned())),
        ("a: >\n  x\n  y\n", 0, "/a", EditRefusal::Folded),
    ];
    for (text, document, pointer, expected) in table {
        match set(text, document, pointer, "new") {
            Err(Error::Edit { reason, .. }) => assert_eq!(reason, expected, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let literal = set("a: |\n  x\nb: 1\n", 0, "/a", "no line break");
    assert!(matches!(literal, Err(Error::Edit { reason: EditRefusal::Literal(_), .. })), "{literal:?}");
}

const CHART: &str = "# a chart as people write it
apiVersion: apps/v1   # the API
kind: Deployment
metadata: {name: web, labels: {app: web, 'tier': \"front\"}, annotations: {
    note: 'two
      lines', empty: , tilde: ~ } }

spec:
    replicas: 3
    template:
        spec:
            containers:
            -   name: &n web
                image: \"registry.example/web:1.2.3@sha256:aa\"   # pinned
                args: [--port, '8080', \"-v\", 0o17]
                command:
                - sh
                - -c
                - |
                    echo one
                      echo two

                    echo three
                env:
                - {name: A, value: \"x\\ty\"}
                - name: B
                  value: >-
                    folded
                    text
                - ? name
                  : C
                  value: yes
            - name: *n
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: long-plain text
    over two lines
data: {}
...
";

/// Pointers of all scalars below a node, through keys as they are read.
fn scalars(node: lotse_yaml::Node<'_>, pointer: &str, found: &mut Vec<String>) {
    for (key, value) in node.entries() {
        let key = lotse_yaml::pointer_escape(&key.key_text().unwrap());
        scalars(value, &format!("{pointer}/{key}"), found);
    }
    for (number, item) in node.items().enumerate() {
        scalars(item, &format!("{pointer}/{number}"), found);
    }
    if node.text().is_some() {
        found.push(pointer.to_owned());
    }
}

#[test]
fn every_scalar_of_a_chart_changes_alone_or_is_refused_by_name() {
    for text in [CHART.to_owned(), CHART.replace('\n', "\r\n"), format!("\u{feff}{CHART}")] {
        let stream =
            lotse_yaml::Stream::parse(text.as_bytes(), Dialect::Kubectl, &Limits::small_file()).unwrap();
        let (mut changed, mut refused) = (0, Vec::new());
        for (number, document) in stream.documents().iter().enumerate() {
            let mut pointers = Vec::new();
            scalars(document.root().unwrap(), "", &mut pointers);
            for pointer in pointers {
                for new in ["plain", "0644", "yes", "a: b # c", "it's \"so\"", "two\nlines\n", "5", "false"] {
                    let edit = set_scalar(
                        text.as_bytes(),
                        Dialect::Kubectl,
                        number,
                        &pointer,
                        new,
                        &Limits::small_file(),
                    );
                    match edit {
                        Ok(edit) => {
                            assert_eq!(edit.undo(), text.as_bytes());
                            let head =
                                edit.bytes().len() - (text.len() - edit.span().end) - edit.span().start;
                            assert_eq!(head, edit.after().len(), "only the bytes of the value changed");
                            changed += 1;
                        }
                        Err(Error::Edit { reason, .. }) => refused.push(format!("{pointer}: {reason}")),
                        Err(error) => panic!("{pointer}: {error}"),
                    }
                }
            }
        }
        assert_eq!((changed, refused.len()), (185, 31), "{refused:#?}");
    }
}
