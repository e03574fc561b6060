use crate::{Admission, Refusal, Store, StoreError};

impl Store {
    /// Records a message that is refused, or given up by the broker: its submission with its end, its event and a dead
    /// letter. Without a legible tenant and job id there is only the dead letter. Once: a replay changes nothing.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    pub async fn refuse(&self, refusal: &Refusal<'_>) -> Result<Admission, StoreError> {
        let _ = refusal;
        todo!()
    }
}
