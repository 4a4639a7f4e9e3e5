//! Tests of the serving transmitter over real sockets.

mod clients;
mod common;
mod feedback;
mod uploads;
