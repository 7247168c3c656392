//! Looks for a counterexample to the law `tuf`; the law itself stands in `tests/src/laws.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lotse_tests::laws::run("tuf", data));
