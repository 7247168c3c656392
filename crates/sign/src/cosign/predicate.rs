/// The predicate type behind one of cosign's short names (`cosign attest --type`); what is no short name stands for itself.
///
/// ```
/// assert_eq!(lotse_sign::cosign_predicate_type("slsaprovenance1"), "https://slsa.dev/provenance/v1");
/// assert_eq!(lotse_sign::cosign_predicate_type("https://example.com/x"), "https://example.com/x");
/// ```
#[must_use]
pub fn cosign_predicate_type(name: &str) -> &str {
    match name {
        "slsaprovenance" | "slsaprovenance02" => "https://slsa.dev/provenance/v0.2",
        "slsaprovenance1" => "https://slsa.dev/provenance/v1",
        "spdx" | "spdxjson" => "https://spdx.dev/Document",
        "cyclonedx" => "https://cyclonedx.org/bom",
        "link" => "https://in-toto.io/Link/v1",
        "vuln" => "https://cosign.sigstore.dev/attestation/vuln/v1",
        "openvex" => "https://openvex.dev/ns",
        "custom" => "https://cosign.sigstore.dev/attestation/v1",
        other => other,
    }
}
