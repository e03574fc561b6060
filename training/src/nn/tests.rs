//! The fused operators against the composed ones, and their gradients against finite differences.

use candle_core::{Device, Result, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Ragged, attend, composed, gru, project_input};

const LENGTHS: [usize; 24] = [3, 0, 1, 7, 7, 2, 5, 1, 0, 4, 9, 3, 2, 6, 1, 8, 3, 0, 2, 5, 4, 1, 12, 2];

struct Draw(ChaCha8Rng);

impl Draw {
    fn var(&mut self, shape: (usize, usize)) -> Var {
        let values: Vec<f32> = (0..shape.0 * shape.1).map(|_| self.0.random_range(-1.0..1.0)).collect();
        Var::from_vec(values, shape, &Device::Cpu).unwrap()
    }
}

fn draw() -> Draw {
    Draw(ChaCha8Rng::seed_from_u64(5))
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn close(a: &Tensor, b: &Tensor, tolerance: f32, what: &str) {
    assert_eq!(a.dims(), b.dims(), "{what}");
    for (i, (a, b)) in flat(a).iter().zip(flat(b)).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}[{i}]: {a} for {b}");
    }
}

/// A scalar that depends on every output differently.
fn scalar(out: &Tensor) -> Result<Tensor> {
    let count = out.elem_count();
    let weights: Vec<f32> = (0..count).map(|i| ((i * 7 + 3) % 11) as f32 / 5.0 - 1.0).collect();
    (out.flatten_all()? * Tensor::from_vec(weights, count, out.device())?)?.sum_all()
}

/// Values and gradients of two ways to compute the same.
fn same(vars: &[Var], one: &dyn Fn() -> Result<Tensor>, other: &dyn Fn() -> Result<Tensor>) {
    let (a, b) = (one().unwrap(), other().unwrap());
    close(&a, &b, 1e-5, "value");
    let (da, db) = (scalar(&a).unwrap().backward().unwrap(), scalar(&b).unwrap().backward().unwrap());
    for (number, var) in vars.iter().enumerate() {
        close(da.get(var).unwrap(), db.get(var).unwrap(), 2e-4, &format!("gradient {number}"));
    }
}

/// The gradient of some elements against `(f(x + e) - f(x - e)) / 2e`.
fn numerical(vars: &[Var], compute: &dyn Fn() -> Result<Tensor>) {
    const STEP: f32 = 1e-2;
    let gradients = scalar(&compute().unwrap()).unwrap().backward().unwrap();
    for (number, var) in vars.iter().enumerate() {
        let (values, gradient) = (flat(var), flat(gradients.get(var).unwrap()));
        for i in (0..values.len()).step_by(values.len() / 9 + 1) {
            let at = |step: f32| {
                let mut moved = values.clone();
                moved[i] += step;
                var.set(&Tensor::from_vec(moved, var.shape(), var.device()).unwrap()).unwrap();
                scalar(&compute().unwrap()).unwrap().to_scalar::<f32>().unwrap()
            };
            let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            assert!(
                (slope - gradient[i]).abs() < 2e-2 * (1.0 + slope.abs()),
                "{number}[{i}]: {} for {slope}",
                gradient[i]
            );
        }
        var.set(&Tensor::from_vec(values, var.shape(), var.device()).unwrap()).unwrap();
    }
}

#[test]
fn the_fused_gru_is_the_composed_one() {
    let (rows, hidden, mut draw) = (Ragged::new(LENGTHS), 5, draw());
    for directions in [1, 2] {
        let x = draw.var((rows.rows(), directions * 3 * hidden));
        let u = draw.var((directions * 3 * hidden, hidden));
        let c = draw.var((1, directions * 3 * hidden));
        let vars = [x.clone(), u.clone(), c.clone()];
        let fused = || gru(&x, &u, &c.flatten_all()?, &rows);
        same(&vars, &fused, &|| composed::gru(&x, &u, &c.flatten_all()?, &rows));
        numerical(&vars, &fused);
    }
}

#[test]
fn the_fused_attention_is_the_composed_one() {
    let (rows, mut draw) = (Ragged::new(LENGTHS), draw());
    let (h, p) = (draw.var((rows.rows(), 6)), draw.var((rows.rows(), 4)));
    let contexts = draw.var((rows.sequences() + 1, 4));
    let vars = [h.clone(), p.clone(), contexts.clone()];
    let fused = || Ok(attend(&h, &p, &contexts, &rows)?.0);
    same(&vars, &fused, &|| Ok(composed::attend(&h, &p, &contexts, &rows)?.0));
    numerical(&vars, &fused);
    let (weights, expected) =
        (attend(&h, &p, &contexts, &rows).unwrap().1, composed::attend(&h, &p, &contexts, &rows).unwrap().1);
    for s in (0..rows.sequences()).filter(|s| rows.len(*s) > 0) {
        let range = rows.start(s)..rows.start(s) + rows.len(s);
        assert!((weights[range.clone()].iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(weights[range.clone()].iter().zip(&expected[range]).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

#[test]
fn the_input_projection_is_a_product() {
    let mut draw = draw();
    let x = draw.var((2500, 7)).as_detached_tensor();
    let (w, b) = (draw.var((4, 7)), draw.var((1, 4)));
    let fused = || project_input(&x, &w, &b.flatten_all()?);
    same(&[w.clone(), b.clone()], &fused, &|| x.matmul(&w.t()?)?.broadcast_add(&b));
}

#[test]
fn other_sequences_change_nothing() {
    let mut draw = draw();
    let (hidden, length) = (5, 6);
    let x = draw.var((30, 6 * hidden));
    let (u, c) = (draw.var((6 * hidden, hidden)), draw.var((1, 6 * hidden)).flatten_all().unwrap());
    let alone = gru(&x.narrow(0, 4, length).unwrap(), &u, &c, &Ragged::new([length])).unwrap();
    let among = gru(&x, &u, &c, &Ragged::new([4, length, 20])).unwrap();
    close(&among.narrow(0, 4, length).unwrap(), &alone, 1e-6, "states");
}

#[cfg(feature = "cuda")]
mod on_a_gpu {
    use super::*;

    /// Values, gradients and weights of a GPU's operators against those of the CPU, in shapes up to the paper's.
    #[test]
    #[ignore = "needs a GPU"]
    fn the_kernels_are_the_cpus_operators() {
        let gpu = Device::new_cuda(0).unwrap();
        for (lengths, hidden, units, directions) in [
            (LENGTHS.to_vec(), 5, 4, 2),
            (LENGTHS.to_vec(), 33, 70, 1),
            ((0..160).map(|s| 60 + s * 7 % 150).collect(), 64, 64, 2),
        ] {
            let (rows, mut draw) = (Ragged::new(lengths), draw());
            let width = directions * 3 * hidden;
            let on_cpu = [
                draw.var((rows.rows(), width)),
                draw.var((width, hidden)),
                draw.var((1, width)),
                draw.var((rows.rows(), 2 * hidden)),
                draw.var((rows.rows(), units)),
                draw.var((rows.sequences() + 1, units)),
            ];
            on_cpu[1].set(&(on_cpu[1].as_tensor() * 0.2).unwrap()).unwrap();
            let on_gpu = on_cpu.clone().map(|v| Var::from_tensor(&v.to_device(&gpu).unwrap()).unwrap());
            let compute = |v: &[Var; 6]| {
                let states = gru(&v[0], &v[1], &v[2].flatten_all().unwrap(), &rows).unwrap();
                let (pooled, weights) = attend(&v[3], &v[4], &v[5], &rows).unwrap();
                let gradients = (scalar(&states).unwrap() + scalar(&pooled).unwrap()).unwrap().backward().unwrap();
                let gradients = v.clone().map(|v| gradients.get(&v).unwrap().to_device(&Device::Cpu).unwrap());
                let cpu = |t: Tensor| t.to_device(&Device::Cpu).unwrap();
                (cpu(states), cpu(pooled), weights, gradients)
            };
            let (ours, theirs) = (compute(&on_gpu), compute(&on_cpu));
            close(&ours.0, &theirs.0, 1e-5, "states");
            close(&ours.1, &theirs.1, 1e-5, "pooled");
            assert!(ours.2.iter().zip(&theirs.2).all(|(a, b)| (a - b).abs() < 1e-5));
            for (number, (a, b)) in ours.3.iter().zip(&theirs.3).enumerate() {
                let norm = |t: &Tensor| flat(t).iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
                let difference = norm(&(a - b).unwrap()) / norm(b);
                println!("H {hidden} N {units} D {directions}: gradient {number} differs by {difference:.1e}");
                assert!(difference < 1e-4, "gradient {number}: {difference}");
            }
        }
    }
}
