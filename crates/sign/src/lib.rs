//! Who says so: keys, DSSE and Sigstore bundles.
