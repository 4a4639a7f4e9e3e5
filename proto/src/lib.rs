//! The wire contract: code generated from `latentlink/v1/link.proto`, and its descriptors for server reflection.

/// Package `latentlink.v1`.
#[allow(missing_docs, clippy::all)]
pub mod v1 {
    tonic::include_proto!("latentlink.v1");
}

/// The encoded `FileDescriptorSet` of the contract, for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
