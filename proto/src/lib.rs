//! The wire contract: code generated from the files of `latentlink/v1`, and its descriptors for server reflection.

/// Package `latentlink.v1`.
#[allow(missing_docs, clippy::all)]
pub mod v1 {
    tonic::include_proto!("latentlink.v1");
}

/// The encoded `FileDescriptorSet` of the contract, for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The version of the contract in every `StreamHeader`.
pub const PROTOCOL_VERSION: u32 = 1;
