//! The registry for tests: over a socket, what other programs see.
