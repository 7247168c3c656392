//! Where it came from: in-toto, SLSA, the audit log, the chain.
