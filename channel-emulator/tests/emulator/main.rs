//! The channel emulator over real sockets.

mod common;
mod control;
mod process;
mod recording;
mod relay;
mod replay;
mod trace;
