//! The two ragged operators out of the framework's own: what runs on a GPU, and what the fused ones are tested against.

use candle_core::{DType, Result, Tensor};

use super::Ragged;

/// As [`super::gru`], one step at a time.
///
/// # Errors
/// Those of the device.
pub fn gru(x: &Tensor, u: &Tensor, c: &Tensor, rows: &Ragged) -> Result<Tensor> {
    let (width, hidden) = u.dims2()?;
    let size = 3 * hidden;
    let mut directions = Vec::new();
    for number in 0..width / size {
        let at = number * size;
        let (x, u, c) = (x.narrow(1, at, size)?, u.narrow(0, at, size)?, c.narrow(0, at, size)?);
        directions.push(one_direction(&x, &u, &c, rows, number == 1)?);
    }
    Tensor::cat(&directions, 1)
}

fn one_direction(x: &Tensor, u: &Tensor, c: &Tensor, rows: &Ragged, backwards: bool) -> Result<Tensor> {
    let (hidden, device) = (u.dim(1)?, x.device());
    let mut order: Vec<usize> = (0..rows.sequences()).collect();
    order.sort_by_key(|s| std::cmp::Reverse(rows.len(*s)));
    let steps = order.first().map_or(0, |s| rows.len(*s));
    if steps == 0 {
        return Tensor::zeros((0, hidden), DType::F32, device);
    }
    // Once, not in each step: every copy would be kept for the gradient.
    let (x, u) = (x.contiguous()?, u.t()?.contiguous()?);
    let mut h = Tensor::zeros((order.len(), hidden), DType::F32, device)?;
    let (mut states, mut place_of_row, mut place) = (Vec::new(), vec![0_u32; rows.rows()], 0);
    for step in 0..steps {
        let running = order.iter().take_while(|s| rows.len(**s) > step);
        let taken: Vec<u32> = running
            .map(|s| rows.start(*s) + if backwards { rows.len(*s) - 1 - step } else { step })
            .map(|row| row as u32)
            .collect();
        for row in &taken {
            place_of_row[*row as usize] = place;
            place += 1;
        }
        let count = taken.len();
        let x = x.index_select(&Tensor::new(taken, device)?, 0)?;
        let before = h.narrow(0, 0, count)?;
        let product = before.matmul(&u)?.broadcast_add(c)?;
        let gate = |i: usize| x.narrow(1, i * hidden, hidden)? + product.narrow(1, i * hidden, hidden)?;
        let (z, r) = (sigmoid(&gate(0)?)?, sigmoid(&gate(1)?)?);
        let inner = (r * product.narrow(1, 2 * hidden, hidden)?)?;
        let candidate = (x.narrow(1, 2 * hidden, hidden)? + inner)?.tanh()?;
        h = (&candidate + z * (before - &candidate)?)?;
        states.push(h.clone());
    }
    Tensor::cat(&states, 0)?.index_select(&Tensor::new(place_of_row, device)?, 0)
}

fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// As [`super::attend`].
///
/// # Errors
/// Those of the device.
pub fn attend(h: &Tensor, p: &Tensor, contexts: &Tensor, rows: &Ragged) -> Result<(Tensor, Vec<f32>)> {
    let (sequences, device) = (rows.sequences(), h.device());
    let of_row = rows.sequence_of_rows(device)?;
    let context = contexts.narrow(0, 0, sequences)?.contiguous()?.index_select(&of_row, 0)?;
    let query = contexts.narrow(0, sequences, 1)?.t()?;
    let scores = (p + context)?.tanh()?.matmul(&query)?;
    let host = scores.flatten_all()?.to_vec1::<f32>()?;
    // Shifting all scores of a sequence changes no weight, so the shift needs no gradient.
    let tops: Vec<f32> = (0..sequences)
        .flat_map(|s| {
            let top = host[rows.start(s)..][..rows.len(s)].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            std::iter::repeat_n(top, rows.len(s))
        })
        .collect();
    let weights = (scores - Tensor::from_vec(tops, (host.len(), 1), device)?)?.exp()?;
    let sums = Tensor::zeros((sequences, 1), DType::F32, device)?.index_add(&of_row, &weights, 0)?;
    let weights = (weights / sums.index_select(&of_row, 0)?)?;
    let pooled = Tensor::zeros((sequences, h.dim(1)?), DType::F32, device)?.index_add(
        &of_row,
        &h.broadcast_mul(&weights)?,
        0,
    )?;
    let weights = weights.flatten_all()?.to_vec1()?;
    Ok((pooled, weights))
}
