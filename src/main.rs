//! Runs Usher.
fn main() {}
