//! The wire contract: the code generated from the `.proto` files in `latentlink/v1`, and descriptors for server
//! reflection.

/// The messages, clients and servers of the package `latentlink.v1`.
#[allow(missing_docs, clippy::all)]
pub mod v1 {
    tonic::include_proto!("latentlink.v1");
}

/// The descriptors of the wire contract, an encoded `FileDescriptorSet`, for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The version of the wire contract, which every `StreamHeader` has.
pub const PROTOCOL_VERSION: u32 = 1;
