//! The protocol without sockets.
