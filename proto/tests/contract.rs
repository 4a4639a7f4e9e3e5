//! Tests of the wire contract: it follows the rules of its style, and peers of the last release understand it.
//!
//! `latentlink/v1.binpb` is the contract of the last release, as an encoded `FileDescriptorSet`. A release replaces it:
//! `LATENTLINK_RELEASE_WIRE=1 cargo test -p latentlink-proto --test contract`.

#[path = "contract/breaking.rs"]
mod breaking;
#[path = "contract/lint.rs"]
mod lint;

use prost::Message;
use prost_types::FileDescriptorSet;
use std::path::Path;

const PACKAGE: &str = "latentlink.v1";

/// The descriptors of the contract's own `.proto` files, without their comments.
fn contract() -> FileDescriptorSet {
    let mut set = FileDescriptorSet::decode(latentlink_proto::DESCRIPTORS).unwrap();
    set.file.retain(|file| file.package() == PACKAGE);
    set.file.iter_mut().for_each(|file| file.source_code_info = None);
    set
}

fn released() -> FileDescriptorSet {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("latentlink/v1.binpb");
    if std::env::var_os("LATENTLINK_RELEASE_WIRE").is_some() {
        std::fs::write(&path, contract().encode_to_vec()).unwrap();
    }
    FileDescriptorSet::decode(&std::fs::read(path).unwrap()[..]).unwrap()
}

#[test]
fn it_is_written_by_the_rules() {
    assert_eq!(lint::problems(&contract()), [""; 0]);
}

#[test]
fn nothing_that_the_last_release_speaks_has_changed() {
    assert_eq!(breaking::changes(&released(), &contract()), [""; 0]);
}
