//! What is inside an image: catalogue, purl, CycloneDX, SPDX, vulnerabilities.
mod version;
pub use version::{
    ApkGeneration, Ecosystem, UnsupportedEcosystem, VersionError, compare_apk, compare_cargo_total,
    compare_npm_build, compare_npm_loose, composer_stability, is_valid_apk, normalise_composer,
};
