//! Package URLs: canonical forms and refusals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sbom::Purl;
use proptest::prelude::*;

#[test]
fn canonical_forms() {
    let table = [
        ("pkg:npm/@angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1"),
        ("pkg:npm/%40angular/animation", "pkg:npm/%40angular/animation"),
        ("pkg:PYPI/Django_package@1.11", "pkg:pypi/django-package@1.11"),
        ("pkg://composer/Laravel/Framework@v12.0.0", "pkg:composer/laravel/framework@v12.0.0"),
        (
            "pkg:deb/debian/attr@1%3A2.4.47-2%2Bb1?distro=jessie&arch=amd64",
            "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=jessie",
        ),
        (
            "pkg:oci/debian@sha256:244f?repository_url=ghcr.io/debian&tag=",
            "pkg:oci/debian@sha256:244f?repository_url=ghcr.io%2Fdebian",
        ),
        (
            "pkg:golang/google.golang.org/genproto#/googleapis/../api/annotations/",
            "pkg:golang/google.golang.org/genproto#googleapis/api/annotations",
        ),
        ("pkg:cargo/Serde@1.0.0", "pkg:cargo/Serde@1.0.0"),
        (
            "pkg:generic/bitwarderl?vcs_url=git%2Bhttps://git.fsfe.org/x",
            "pkg:generic/bitwarderl?vcs_url=git%2Bhttps:%2F%2Fgit.fsfe.org%2Fx",
        ),
    ];
    for (text, canonical) in table {
        assert_eq!(text.parse::<Purl>().unwrap().to_string(), canonical, "{text}");
    }
}

#[test]
fn the_lenient_reading_lowers_qualifier_keys() {
    let text = "pkg:rpm/fedora/curl@7.50.3-1.fc25?Arch=i386&Distro=fedora-25#a/b";
    assert!(text.parse::<Purl>().is_err());
    let purl = Purl::canonicalise(text).unwrap();
    assert_eq!(purl.to_string(), "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25#a/b");
}

#[test]
fn refusals() {
    for (text, said) in [
        ("npm/a@1", "pkg:"),
        ("pkg:npm", "name is missing"),
        ("pkg:npm/", "name is missing"),
        ("pkg:cran/@0.9.1", "name is missing"),
        ("pkg:cpan/GDT/URI::PackageURL", "`::`"),
        ("pkg:n&m/a@1", "type must"),
        ("pkg:deb/a@1", "needs a namespace"),
        ("pkg:cargo/ns/a@1", "has no namespace"),
        ("pkg:npm/a?Arch=x", "lower-case"),
        ("pkg:npm/a?arch", "no `=`"),
        ("pkg:npm/a?arch=x&arch=y", "twice"),
        ("pkg:npm/a%zz", "two hex digits"),
        ("pkg:npm/a%ff", "UTF-8"),
        ("pkg:npm/a%2fb/c", "encoded slash"),
    ] {
        let error = text.parse::<Purl>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn printing_and_parsing_is_the_identity(name in "[^/]{1,20}", version in ".{0,20}", value in ".{1,10}", space in "[^/]{1,8}") {
        if let Ok(purl) = Purl::new("npm", Some(&space), &name, Some(&version)) {
            let purl = purl.with_qualifier("k", &value).unwrap();
            prop_assert_eq!(&purl.to_string().parse::<Purl>().unwrap(), &purl);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_and_never_panics(text in "pkg:.{0,60}") {
        if let Ok(purl) = text.parse::<Purl>() {
            prop_assert_eq!(&purl.to_string().parse::<Purl>().unwrap(), &purl);
        }
    }
}
