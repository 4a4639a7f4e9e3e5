//! Tests of the sending client against a link in this process.

mod link;
mod options;
mod rounds;
mod sweep;
mod transcript;
