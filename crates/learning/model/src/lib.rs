//! Layers with exact gradients, the blocks of the paper, and the two halves of every scheme.
//!
//! Files are named after the paper's blocks: [`extractor`] δ, [`uvib`] ε, [`discriminator`] ζ, [`encoder`] η, [`mvib`] υ.
//! [`network`] puts them together, [`halves`] wraps the halves into the interface of [`scheme`], and [`weights`] keeps
//! them on disk. All of it stands on [`ops`], differentiable operations over packed sequences.

pub mod batch;
pub mod bert;
pub mod bottleneck;
pub mod codebook;
pub mod config;
pub mod conventional;
pub mod discriminator;
pub mod encoder;
pub mod extractor;
pub mod halves;
pub mod head;
pub mod layers;
pub mod mvib;
pub mod network;
pub mod ops;
pub mod params;
pub mod random;
pub mod scheme;
pub mod scheme_kind;
pub mod tdeepsc;
pub mod uvib;
pub mod weights;

/// Keeps candle on one thread: its element-wise operations spin at barriers, and any other busy process then slows a
/// step several times over. Parallelism lies outside, over parts of a batch or whole evaluations.
///
/// Call it before anything else of candle, best first thing in a process: candle reads its setting once.
pub fn single_threaded() {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Candle's element-wise pool (64 Ki elements and more) is not rayon's and takes its size from here alone.
        const THREADS: &str = "CANDLE_NUM_THREADS";
        if std::env::var_os(THREADS).is_none() {
            // SAFETY: Rust's own readers of the environment share a lock with this; no C code that reads it runs while
            // weights are loaded or training begins.
            unsafe { std::env::set_var(THREADS, "1") };
        }
        candle_core::utils::barrier_pool();
        // An error means that the pool was built already, by an earlier call or by an embedding program that knows better.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    });
}
