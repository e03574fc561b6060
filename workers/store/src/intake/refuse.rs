use super::submission::{self, Ending, Incoming, Letter, Seen};
use crate::{Admission, Refusal, Store, StoreError};

impl Store {
    /// Records a message that is refused, or given up by the broker: its submission with its end, its event and a dead
    /// letter. Without a legible tenant and job id there is only the dead letter. Once: a replay changes nothing.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    pub async fn refuse(&self, refusal: &Refusal<'_>) -> Result<Admission, StoreError> {
        let mut tx = self.pool.begin().await?;
        let incoming = match (refusal.tenant, refusal.job_id) {
            (Some(tenant), Some(job_id)) => Some(Incoming {
                request: refusal.request,
                tenant,
                job_id,
                interview_id: refusal.interview_id,
                content_sha256: refusal.content_sha256,
            }),
            _ => None,
        };
        let seen = match &incoming {
            Some(incoming) => submission::receive(&mut tx, incoming).await?,
            None => Seen::New,
        };
        let admission = match seen {
            Seen::Replay { erased: true } => Admission::Erased,
            Seen::Replay { erased: false } => Admission::Replay,
            Seen::Conflict => Admission::Conflict,
            Seen::New => {
                let letter = Letter {
                    incoming: incoming.as_ref(),
                    content_sha256: refusal.content_sha256,
                    code: refusal.code,
                    detail: refusal.detail,
                    trace: refusal.trace,
                };
                submission::dead_letter(&mut tx, &letter).await?;
                if let Some(Incoming { tenant, job_id, .. }) = incoming {
                    let ending = Ending::without_score(refusal.state, Some(refusal.code));
                    submission::end_one(&mut tx, tenant, job_id, &ending, refusal.trace).await?;
                }
                Admission::Refused
            }
        };
        tx.commit().await?;
        self.filled.notify_one();
        Ok(admission)
    }
}
