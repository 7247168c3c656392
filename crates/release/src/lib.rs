//! One application spec in, one verified release and its evidence out; and back again.
