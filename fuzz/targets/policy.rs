//! Looks for a counterexample to the law `policy`; the law itself stands in `tests/src/laws.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lotse_tests::laws::run("policy", data));
