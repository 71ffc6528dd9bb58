//! Moving an installation to another database.

use crate::app::{App, Error};
use crate::scim;
use crate::store::copy::{self, Refusal};

impl App {
    /// Copies everything into the empty database of another app; `tell` hears of tables and rows.
    pub async fn copy_to(&self, target: &Self, tell: impl FnMut(&str, u64)) -> Result<(), Error> {
        copy::copy(self.store(), target.store(), tell).await.map_err(|refusal| match refusal {
            Refusal::Store(error) => error.into(),
            Refusal::NotEmpty | Refusal::Changed => {
                scim::Error::InvalidValue(refusal.to_string()).into()
            }
        })
    }
}
