//! Smoothing over three frames.

use ndarray::ArrayViewMut1;

/// `sma3`: mean of three frames, the ends repeated.
pub(crate) fn sma3(mut column: ArrayViewMut1<'_, f32>) {
    let last = column.len().saturating_sub(1);
    let mut before = column.first().copied().unwrap_or_default();
    for k in 0..column.len() {
        let (here, after) = (column[k], column[(k + 1).min(last)]);
        column[k] = (before + here + after) / 3.0;
        before = here;
    }
}

/// `sma3nz`: the same over the values that are not zero; zero where the centre is zero.
pub(crate) fn sma3nz(mut column: ArrayViewMut1<'_, f32>) {
    let last = column.len().saturating_sub(1);
    let mut before = column.first().copied().unwrap_or_default();
    for k in 0..column.len() {
        let (here, after) = (column[k], column[(k + 1).min(last)]);
        if here != 0.0 {
            let used = [before, here, after].into_iter().filter(|v| *v != 0.0);
            let (sum, count) = used.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0_f32));
            column[k] = sum / count;
        }
        before = here;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn ends_are_repeated() {
        let mut column = array![3.0, 0.0, 6.0];
        sma3(column.view_mut());
        assert_eq!(column, array![2.0, 3.0, 4.0]);
        sma3(ndarray::Array1::zeros(0).view_mut());
    }

    #[test]
    fn zeros_stay_and_do_not_count() {
        let mut column = array![3.0, 0.0, 6.0, 8.0];
        sma3nz(column.view_mut());
        assert_eq!(column, array![3.0, 0.0, 7.0, 22.0 / 3.0]);
    }
}
