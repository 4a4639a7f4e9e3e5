//! Compiles the `.proto` files of the wire contract to Rust code and to descriptors, without protoc.

use prost::Message;
use std::{env, fs, path::PathBuf};

/// The `.proto` files of the wire contract.
const FILES: [&str; 4] = [
    "latentlink/v1/common.proto",
    "latentlink/v1/transmitter.proto",
    "latentlink/v1/channel_emulator.proto",
    "latentlink/v1/receiver.proto",
];
/// The fields that may be long and become `Bytes`, so that cloning or splitting them copies nothing.
const SHARED: [&str; 6] = [
    ".latentlink.v1.Burst.symbols",
    ".latentlink.v1.Burst.payload",
    ".latentlink.v1.Chunk.data",
    ".latentlink.v1.Media.data",
    ".latentlink.v1.Features.data",
    ".latentlink.v1.Acknowledgement.answer",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in FILES {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::configure();
    for field in SHARED {
        config = config.bytes(field);
    }
    config.compile_fds(descriptors)?;
    Ok(())
}
