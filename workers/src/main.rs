//! The program `hirenet`.
fn main() {}
