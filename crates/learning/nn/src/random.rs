//! All randomness of training: seeded streams, told apart by what they are for.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A stream of random numbers named by a seed and a path of labels (epoch, step, part, purpose).
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of this seed and path. Different paths give independent streams.
    pub fn new(seed: u64, path: &[u64]) -> Self {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(b"latentlink.model.stream");
        hash.update(seed.to_le_bytes());
        for label in path {
            hash.update(label.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// `n` standard normal values.
    pub fn normals(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| StandardNormal.sample(&mut self.0)).collect()
    }

    /// Uniform on [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform on 0..n.
    ///
    /// # Panics
    /// If n is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "nothing to choose from");
        ((self.0.next_u64() as u128 * n as u128) >> 64) as usize
    }

    /// A random order of 0..n (Fisher and Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }

    /// A dropout mask of probability `p`, drawn when it is used; each call gives another one.
    pub fn mask(&mut self, p: f32) -> Mask {
        let mut key = [0u8; 32];
        self.0.fill_bytes(&mut key);
        Mask { key, p }
    }
}

/// A dropout mask that has yet to be drawn.
#[derive(Clone, Debug)]
pub struct Mask {
    key: [u8; 32],
    p: f32,
}

impl Mask {
    /// `n` factors: 0 with probability p, rounded to a multiple of 1/256, else 1/(1 − p).
    pub fn factors(&self, n: usize) -> Vec<f32> {
        let threshold = (self.p.clamp(0.0, 0.99) * 256.0).round() as u8;
        let scale = 256.0 / (256.0 - threshold as f32);
        let mut bytes = vec![0u8; n];
        ChaCha8Rng::from_seed(self.key).fill_bytes(&mut bytes);
        // Without a branch, which random bytes would mispredict; vectorises.
        bytes.iter().map(|b| scale * f32::from(u8::from(*b >= threshold))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_gives_one_stream_and_another_path_another() {
        let draw = |path: &[u64]| Stream::new(1, path).normals(8);
        assert_eq!(draw(&[1, 2]), draw(&[1, 2]));
        assert_ne!(draw(&[1, 2]), draw(&[2, 1]));
        assert_ne!(draw(&[1]), Stream::new(2, &[1]).normals(8));
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = Stream::new(5, &[]).permutation(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
