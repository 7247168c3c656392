/// Told what a release or a verification is doing. `()` listens to nothing.
pub trait Progress {
    /// Step `number` of `of` begins: `what`.
    fn step(&mut self, number: usize, of: usize, what: &str);
}

impl Progress for () {
    fn step(&mut self, _: usize, _: usize, _: &str) {}
}

impl<F: FnMut(usize, usize, &str)> Progress for F {
    fn step(&mut self, number: usize, of: usize, what: &str) {
        self(number, of, what);
    }
}
