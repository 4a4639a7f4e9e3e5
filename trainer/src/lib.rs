//! trainer
pub mod evaluate;
