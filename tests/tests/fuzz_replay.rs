//! Every seed and every past crash of the fuzz targets, replayed against its law.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must hold")]

use std::fs;
use std::path::Path;

use lotse_tests::laws::LAWS;

#[test]
fn every_seed_keeps_its_law() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    for (name, law) in LAWS {
        let mut files: Vec<_> = fs::read_dir(seeds.join(name))
            .unwrap_or_else(|error| panic!("seeds of {name}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no seed");
        for file in files {
            let data = fs::read(&file).unwrap();
            law(&data);
            // Cuts and single changed bytes near the seed: cheap, and the same in every run.
            for cut in [1, data.len() / 3, data.len() / 2, data.len().saturating_sub(1)] {
                law(data.get(..cut).unwrap_or(&data));
            }
            for at in (0..data.len()).step_by((data.len() / 16).max(1)) {
                let mut changed = data.clone();
                changed[at] ^= 0x20;
                law(&changed);
            }
        }
    }
}

#[test]
fn every_law_has_a_target_and_every_target_a_law() {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/Cargo.toml")).unwrap();
    for (name, _) in LAWS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), LAWS.len());
}
