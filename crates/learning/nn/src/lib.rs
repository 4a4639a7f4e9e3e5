//! What every network is built from: differentiable operations over packed sequences, layers, parameters, seeded random
//! numbers and the BERT encoder. Nothing here knows the paper, the channel or a scheme.

pub mod bert;
pub mod layers;
pub mod ops;
pub mod params;
pub mod random;

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
