use hirenet_core::ConsentWithdrawn;

use crate::{Store, StoreError, Withdrawal};

impl Store {
    /// Takes consent back: everything computed of the modalities goes, with every assessment that used it, and what is left
    /// is scored anew. Jobs that run now store nothing of those modalities.
    ///
    /// # Errors
    /// Where the database fails; nothing is changed then.
    pub async fn withdraw(&self, message: &ConsentWithdrawn, content_sha256: &str) -> Result<Withdrawal, StoreError> {
        let _ = (message, content_sha256);
        todo!()
    }
}
