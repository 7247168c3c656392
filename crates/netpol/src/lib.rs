//! Who may talk to whom: NetworkPolicy evaluated exactly.
