//! Which class was decided for which.

use crate::{Prediction, label_class};

/// Predictions by the class of the label, then by the most likely class, both −3 … 3.
pub fn confusion<'a>(rows: impl IntoIterator<Item = (&'a Prediction, f32)>) -> [[u64; 7]; 7] {
    let mut counts = [[0; 7]; 7];
    let index = |class: i8| usize::try_from(class + 3).expect("a class is at least -3");
    for (prediction, label) in rows {
        counts[index(label_class(label))][index(prediction.class())] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_labels_and_columns_decisions() {
        let decided = |class: usize| {
            let mut classes = [0.0; 7];
            classes[class] = 1.0;
            Prediction { p_neg: 0.5, p_zero: 0.0, p_pos: 0.5, classes, score: 0.0 }
        };
        let (lowest, highest) = (decided(0), decided(6));
        let counts = confusion([(&lowest, -3.0), (&highest, -2.6), (&highest, 2.5), (&lowest, 0.5)]);
        assert_eq!((counts[0][0], counts[0][6], counts[5][6], counts[3][0]), (1, 1, 1, 1));
        assert_eq!(counts.iter().flatten().sum::<u64>(), 4);
    }
}
