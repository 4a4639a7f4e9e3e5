//! Feature maps, and how TensorFlow pads and pools them.

/// A feature map `[height, width, channels]`, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Map {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) data: Vec<f32>,
}

/// What lies beyond the edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Padding {
    /// As much as gives ⌈length / stride⌉ outputs; the odd one at the end.
    Same,
    /// Nothing.
    Valid,
}

impl Padding {
    /// How many outputs an axis has, and how much padding lies before its first element.
    pub(crate) fn along(self, length: usize, kernel: usize, stride: usize) -> (usize, usize) {
        match self {
            Padding::Same => {
                let outputs = length.div_ceil(stride);
                let reach = outputs.saturating_sub(1) * stride + kernel;
                (outputs, reach.saturating_sub(length) / 2)
            }
            Padding::Valid if length < kernel => (0, 0),
            Padding::Valid => ((length - kernel) / stride + 1, 0),
        }
    }
}

impl Map {
    pub(crate) fn zeros(height: usize, width: usize, channels: usize) -> Map {
        Map { height, width, channels, data: vec![0.0; height * width * channels] }
    }

    /// The channels at a place.
    pub(crate) fn at(&self, y: usize, x: usize) -> &[f32] {
        &self.data[(y * self.width + x) * self.channels..][..self.channels]
    }

    /// The largest of each 2 × 2 elements, padded as [`Padding::Same`]; what is beyond the edges does not count.
    pub(crate) fn max_pool(&self, stride: usize) -> Map {
        let (height, _) = Padding::Same.along(self.height, 2, stride);
        let (width, _) = Padding::Same.along(self.width, 2, stride);
        let mut out = Map::zeros(height, width, self.channels);
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        for (place, values) in out.data.chunks_exact_mut(self.channels).enumerate() {
            let (y, x) = (place / width * stride, place % width * stride);
            let (below, right) = ((y + 1).min(self.height - 1), (x + 1).min(self.width - 1));
            let above = self.at(y, x).iter().zip(self.at(y, right));
            let under = self.at(below, x).iter().zip(self.at(below, right));
            for (value, ((a, b), (c, d))) in values.iter_mut().zip(above.zip(under)) {
                *value = larger(larger(*a, *b), larger(*c, *d));
            }
        }
        out
    }

    /// The mean of each channel `[channels]`.
    pub(crate) fn mean(&self) -> Vec<f32> {
        let mut mean = vec![0.0; self.channels];
        for place in self.data.chunks_exact(self.channels) {
            mean.iter_mut().zip(place).for_each(|(m, v)| *m += v);
        }
        let places = (self.height * self.width) as f32;
        mean.iter_mut().for_each(|m| *m /= places);
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_puts_the_odd_one_at_the_end() {
        assert_eq!(Padding::Same.along(112, 3, 2), (56, 0));
        assert_eq!(Padding::Same.along(113, 3, 2), (57, 1));
        assert_eq!(Padding::Same.along(7, 3, 1), (7, 1));
        assert_eq!(Padding::Same.along(207, 2, 2), (104, 0));
        assert_eq!(Padding::Same.along(1, 2, 1), (1, 0));
        assert_eq!(Padding::Valid.along(416, 3, 1), (414, 0));
        assert_eq!(Padding::Valid.along(2, 3, 1), (0, 0));
    }

    #[test]
    fn pooling_does_not_see_past_the_edges() {
        let map = Map { height: 3, width: 3, channels: 1, data: vec![-9.0, -8., -7., -6., -5., -4., -3., -2., -1.] };
        let pooled = map.max_pool(2);
        assert_eq!((pooled.height, pooled.width), (2, 2));
        assert_eq!(pooled.data, [-5.0, -4.0, -2.0, -1.0]);
        let pooled = map.max_pool(1);
        assert_eq!(pooled.data, [-5.0, -4., -4., -2., -1., -1., -2., -1., -1.]);
        assert_eq!(map.mean(), [-5.0]);
    }
}
