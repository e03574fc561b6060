//! Writes the untrained bundle: `cargo run --release -p hirenet-model --example untrained_bundle -- OUT.onnx`.

use hirenet_model::export::{UNTRAINED_SEED, untrained};

fn main() -> std::io::Result<()> {
    let Some(out) = std::env::args_os().nth(1) else {
        return Err(std::io::Error::other("usage: untrained_bundle OUT.onnx"));
    };
    std::fs::write(out, untrained(UNTRAINED_SEED))
}
