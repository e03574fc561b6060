//! Gated fusion: each answer weighs the modalities that it has, their own networks' evidence is added up under these
//! weights, and HireNet's high level corrects the sum.

use std::collections::BTreeMap;

use candle_core::{Device, Result as DeviceResult, Tensor};
use hirenet_core::{ByModality, Modality};
use hirenet_model::export;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Summary;
use crate::Result;
use crate::data::WordRows;
use crate::fit::{Scored, Task, cross_entropy};
use crate::fusion::Evidence;
use crate::models::Sizes;
use crate::nn::layers::{Attention, Gru, Score};
use crate::nn::parameters::{matrix, vector};
use crate::nn::{Dropout, Parameters, Ragged};

/// Score of a modality that an answer lacks; its weight is exactly 0.
const MASKED: f64 = -1e9;

/// What the fusion knows of a modality.
#[derive(Debug, Clone)]
struct Branch {
    modality: Modality,
    project: candle_core::Var,
    gate: candle_core::Var,
    gate_bias: candle_core::Var,
}

/// The fusion's network.
#[derive(Debug, Clone)]
pub struct GatedFusion {
    branches: Vec<Branch>,
    question: Gru,
    gate_question: candle_core::Var,
    gate: candle_core::Var,
    high: Gru,
    title: Gru,
    global: Attention,
    score: Score,
    evidence: EvidenceVars,
    parameters: Parameters,
}

/// [`Evidence`] as tensors. Nothing trains them: on the interviews that the networks learned from, their logits are surer
/// than they will ever be again.
#[derive(Debug, Clone)]
struct EvidenceVars {
    /// `[M]`
    scale: candle_core::Var,
    /// `[M]`
    offset: candle_core::Var,
    /// `[1]`
    prior: candle_core::Var,
}

/// Interviews of which each has an answer with some modality.
#[derive(Debug, Clone)]
pub struct FusionBatch {
    /// `a_m` of each answer `[S, 2H]`, zeros where it lacks the modality, in the order of the fusion's modalities.
    vectors: Vec<Tensor>,
    /// 0 where an answer has the modality, a large negative number elsewhere, `[S, M]`.
    masked: Tensor,
    /// Logits of the modalities' own networks, 0 where an interview lacks one, `[B, M]`.
    logits: Tensor,
    /// 1 where an interview has the modality, 0 elsewhere, `[B, M]`.
    present: Tensor,
    questions: WordRows,
    answers: Ragged,
    titles: WordRows,
    labels: Tensor,
    /// Number and label of each interview.
    members: Vec<(usize, u8)>,
    /// Interview (place in `members`) and answer of each row.
    origin: Vec<(usize, usize)>,
}

/// What the fusion says.
#[derive(Debug, Clone)]
pub struct FusionOutput {
    /// `[B]`
    pub logits: Tensor,
    /// `gamma`, `[S, M]`.
    pub gamma: Tensor,
    /// Weight of each answer.
    pub beta: Vec<f32>,
}

impl GatedFusion {
    /// Draws the weights for the answers' vectors of width `inputs`.
    ///
    /// # Errors
    /// Those of the device.
    pub fn new(
        mut p: Parameters,
        modalities: &[Modality],
        inputs: usize,
        words: usize,
        sizes: Sizes,
    ) -> DeviceResult<GatedFusion> {
        let Sizes { hidden, context, attention, both_ways } = sizes;
        let (units, ways) = (hidden, if both_ways { 2 } else { 1 });
        let range = |n: usize| 1.0 / (n as f32).sqrt();
        let mut branches = Vec::new();
        for modality in modalities {
            branches.push(Branch {
                modality: *modality,
                project: p.uniform(&format!("{modality}.project"), &[units, inputs], range(inputs))?,
                gate: p.uniform(&format!("{modality}.gate"), &[attention, inputs], range(inputs))?,
                gate_bias: p.uniform(&format!("{modality}.gate_bias"), &[attention], range(inputs))?,
            });
        }
        Ok(GatedFusion {
            branches,
            question: Gru::new(&mut p, "question", words, context, 1)?,
            gate_question: p.uniform("gate_question", &[attention, context], range(context))?,
            // Until training says otherwise all modalities weigh the same and nothing is corrected: plain late fusion.
            gate: p.zeros("gate", &[1, attention])?,
            high: Gru::new(&mut p, "high", units + context, hidden, ways)?,
            title: Gru::new(&mut p, "title", words, context, 1)?,
            global: Attention::new(&mut p, "global", ways * hidden, Some(context), attention)?,
            score: Score::zero(&mut p, "score", ways * hidden)?,
            evidence: EvidenceVars {
                scale: p.zeros("evidence.scale", &[modalities.len()])?,
                offset: p.zeros("evidence.offset", &[modalities.len()])?,
                prior: p.zeros("evidence.prior", &[1])?,
            },
            parameters: p,
        })
    }

    /// The modalities that it was made for.
    #[must_use]
    pub fn modalities(&self) -> Vec<Modality> {
        self.branches.iter().map(|branch| branch.modality).collect()
    }

    /// Draws every weight anew, also those that start at zero.
    ///
    /// # Errors
    /// Those of the device.
    pub fn redraw(&mut self, range: f32) -> DeviceResult<()> {
        self.parameters.redraw(range)
    }

    /// Its weights.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How much the modalities' own networks are to be believed; without it they say nothing here.
    ///
    /// # Errors
    /// Those of the device.
    pub fn believe(&self, evidence: &Evidence) -> DeviceResult<()> {
        let set = |var: &candle_core::Var, values: Vec<f64>| {
            let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
            var.set(&Tensor::new(values, self.parameters.device())?)
        };
        let of = |m: Modality| evidence.scaling(m);
        set(&self.evidence.scale, self.modalities().into_iter().map(|m| of(m).0).collect())?;
        set(&self.evidence.offset, self.modalities().into_iter().map(|m| of(m).1).collect())?;
        set(&self.evidence.prior, vec![evidence.prior()])
    }

    /// ```text
    /// g_m = w . tanh(W_m a_m + W_Q hQ + b_m)   gamma = softmax over the modalities that the answer has
    /// f_i = sum_m gamma_m P_m a_m              s_i = [f_i; hQ_i], then HireNet's high level with weights beta
    /// Gamma_m = sum_i beta_i gamma_im          logit = prior + K sum_m Gamma_m e_m + score(v)
    /// ```
    ///
    /// where `e_m` is the evidence of the modality's own network ([`Evidence`]) and `K` the number of modalities that the
    /// interview has: under even weights evidence adds up, as independent witnesses' does.
    ///
    /// # Errors
    /// Those of the device.
    pub fn forward(&self, batch: &FusionBatch, dropout: &mut Dropout) -> DeviceResult<FusionOutput> {
        let h_q = self.question.last(&batch.questions)?;
        let asked = h_q.matmul(&self.gate_question.t()?)?;
        let mut scores = Vec::new();
        for (branch, a) in self.branches.iter().zip(&batch.vectors) {
            let g = (a.matmul(&branch.gate.t()?)? + &asked)?.broadcast_add(&branch.gate_bias)?.tanh()?;
            scores.push(g.matmul(&self.gate.t()?)?);
        }
        let scores = (Tensor::cat(&scores, 1)? + &batch.masked)?;
        // Scores are bounded by the gate's weights, so only the mask needs the shift.
        let weights = scores.broadcast_sub(&scores.max_keepdim(1)?.detach())?.exp()?;
        let gamma = weights.broadcast_div(&weights.sum_keepdim(1)?)?;
        let mut f = None;
        for (place, (branch, a)) in self.branches.iter().zip(&batch.vectors).enumerate() {
            let part = a.matmul(&branch.project.t()?)?.broadcast_mul(&gamma.narrow(1, place, 1)?)?;
            f = Some(match f {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        let Some(f) = f else { candle_core::bail!("a fusion needs a modality") };
        let s = dropout.apply(&Tensor::cat(&[&f, &h_q], 1)?)?;
        let h = self.high.over(&s, &batch.answers)?;
        let h_j = self.title.last(&batch.titles)?;
        let pooled = Tensor::cat(&[&h, &gamma], 1)?;
        let (pooled, beta) = self.global.pool_values(&h, &pooled, Some(&h_j), &batch.answers)?;
        let (states, modalities) = (h.dim(1)?, self.branches.len());
        // A product on a GPU takes whole rows only.
        let v = pooled.narrow(1, 0, states)?.contiguous()?;
        let believed = self.weighed_evidence(batch, &pooled.narrow(1, states, modalities)?)?;
        Ok(FusionOutput { logits: (self.score.of(&dropout.apply(&v)?)? + believed)?, gamma, beta })
    }

    /// `prior + K sum_m Gamma_m e_m`, `[B]`.
    fn weighed_evidence(&self, batch: &FusionBatch, of_interview: &Tensor) -> DeviceResult<Tensor> {
        let EvidenceVars { scale, offset, prior } = &self.evidence;
        let offsets = batch.present.broadcast_mul(&offset.as_detached_tensor())?;
        let evidence = (batch.logits.broadcast_mul(&scale.as_detached_tensor())? + offsets)?;
        let sum = (of_interview * evidence)?.sum(1)?;
        (sum * batch.present.sum(1)?)?.broadcast_add(&prior.as_detached_tensor())
    }

    /// For the graph's writer.
    ///
    /// # Errors
    /// Those of the device.
    pub fn export(&self) -> DeviceResult<export::Fusion> {
        let (states, context) = (2 * self.high.hidden(), self.question.hidden());
        let mut branches = ByModality::default();
        let (scale, offset) = (vector(&self.evidence.scale)?, vector(&self.evidence.offset)?);
        for (place, branch) in self.branches.iter().enumerate() {
            let of = export::FusionBranch {
                project: matrix(&branch.project)?,
                gate: matrix(&branch.gate)?,
                gate_bias: vector(&branch.gate_bias)?,
                evidence_scale: scale[place],
                evidence_offset: offset[place],
            };
            branches.set(branch.modality, Some(of));
        }
        let (score, score_bias) = self.score.export(states)?;
        Ok(export::Fusion {
            branches,
            question: self.question.direction(0)?,
            gate_question: matrix(&self.gate_question)?,
            gate: vector(&self.gate)?,
            high: self.high.both()?,
            title: self.title.direction(0)?,
            global: self.global.export(states, context)?,
            score,
            score_bias,
            prior: vector(&self.evidence.prior)?[0],
        })
    }
}

/// The fusion as something to train.
pub struct FusionTask<'a> {
    /// What the modalities' networks say.
    pub summaries: &'a BTreeMap<usize, Summary>,
    /// The network.
    pub network: &'a GatedFusion,
    /// Probability with which training leaves out each modality of an interview; one always stays.
    pub modality_dropout: f64,
    /// Modalities that evaluation may see.
    pub visible: Vec<Modality>,
    /// Weight of a positive label.
    pub positive: f64,
}

impl FusionTask<'_> {
    /// The modalities that an interview keeps in a training batch.
    fn kept(&self, summary: &Summary, rng: &mut ChaCha8Rng) -> Vec<Modality> {
        let there: Vec<Modality> = summary.modalities().into_iter().filter(|m| self.visible.contains(m)).collect();
        let kept: Vec<Modality> = there.iter().copied().filter(|_| !rng.random_bool(self.modality_dropout)).collect();
        if kept.is_empty() { there.choose(rng).copied().into_iter().collect() } else { kept }
    }

    /// Lays out summaries.
    ///
    /// # Errors
    /// Those of the device.
    pub fn lay_out<'s>(
        &self,
        summaries: impl Iterator<Item = (&'s Summary, Vec<Modality>)>,
    ) -> Result<Option<FusionBatch>> {
        let device = self.network.parameters.device();
        let modalities = self.network.modalities();
        let (mut members, mut counts, mut origin, mut chosen, mut titles) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut logits, mut present) = (Vec::new(), Vec::new());
        for (summary, kept) in summaries {
            let has = |m: &Modality, a: usize| kept.contains(m) && summary.answers[a].vectors.get(*m).is_some();
            let answers: Vec<usize> =
                (0..summary.answers.len()).filter(|a| modalities.iter().any(|m| has(m, *a))).collect();
            if answers.is_empty() {
                continue;
            }
            counts.push(answers.len());
            for answer in answers {
                origin.push((members.len(), answer));
                chosen.push((&summary.answers[answer], kept.clone()));
            }
            members.push((summary.index, summary.label));
            titles.push(&*summary.title);
            for modality in &modalities {
                let logit = summary.logits.get(*modality).filter(|_| kept.contains(modality));
                logits.push(logit.map_or(0.0, |logit| *logit as f32));
                present.push(if logit.is_some() { 1.0_f32 } else { 0.0 });
            }
        }
        let Some(first) = titles.first() else { return Ok(None) };
        let words = first.ncols();
        let mut masked = vec![MASKED as f32; chosen.len() * modalities.len()];
        let mut vectors = Vec::new();
        for (place, modality) in modalities.iter().enumerate() {
            let of = |(answer, kept): &(&super::AnswerSummary, Vec<Modality>)| {
                answer.vectors.get(*modality).filter(|_| kept.contains(modality)).cloned()
            };
            let width = self.network.branches[place].project.dim(1)?;
            let mut values = Vec::with_capacity(chosen.len() * width);
            for (row, answer) in chosen.iter().enumerate() {
                match of(answer) {
                    Some(vector) => {
                        masked[row * modalities.len() + place] = 0.0;
                        values.extend(vector);
                    }
                    None => values.extend(std::iter::repeat_n(0.0, width)),
                }
            }
            vectors.push(Tensor::from_vec(values, (chosen.len(), width), device)?);
        }
        let labels: Vec<f32> = members.iter().map(|(_, label)| f32::from(*label)).collect();
        Ok(Some(FusionBatch {
            vectors,
            masked: Tensor::from_vec(masked, (chosen.len(), modalities.len()), device)?,
            logits: Tensor::from_vec(logits, (members.len(), modalities.len()), device)?,
            present: Tensor::from_vec(present, (members.len(), modalities.len()), device)?,
            questions: WordRows::new(chosen.iter().map(|(answer, _)| &*answer.question), words, device)?,
            answers: Ragged::new(counts),
            titles: WordRows::new(titles.into_iter(), words, device)?,
            labels: Tensor::new(labels, device as &Device)?,
            members,
            origin,
        }))
    }
}

impl FusionBatch {
    /// Interview and answer of each row.
    #[must_use]
    pub fn origin(&self) -> &[(usize, usize)] {
        &self.origin
    }
}

impl Task for FusionTask<'_> {
    type Batch = FusionBatch;

    fn parameters(&self) -> &Parameters {
        &self.network.parameters
    }

    fn batch(&self, interviews: &[usize], noise: Option<u64>) -> Result<Option<FusionBatch>> {
        let mut rng = noise.map(ChaCha8Rng::seed_from_u64);
        let chosen: Vec<(&Summary, Vec<Modality>)> = interviews
            .iter()
            .filter_map(|index| self.summaries.get(index))
            .map(|summary| {
                let kept = match &mut rng {
                    Some(rng) => self.kept(summary, rng),
                    None => self.visible.clone(),
                };
                (summary, kept)
            })
            .collect();
        self.lay_out(chosen.into_iter())
    }

    fn loss(&self, batch: &FusionBatch, dropout: &mut Dropout) -> Result<Tensor> {
        let output = self.network.forward(batch, dropout)?;
        Ok(cross_entropy(&output.logits, &batch.labels, self.positive)?)
    }

    fn logits(&self, batch: &FusionBatch) -> Result<Vec<Scored>> {
        let logits: Vec<f32> = self.network.forward(batch, &mut Dropout::off())?.logits.to_vec1()?;
        let scored = |((index, label), logit): (&(usize, u8), f32)| Scored {
            index: *index,
            label: *label,
            logit: f64::from(logit),
        };
        Ok(batch.members.iter().zip(logits).map(scored).collect())
    }
}

#[cfg(test)]
mod tests;
