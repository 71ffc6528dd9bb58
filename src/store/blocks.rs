//! How many resources there are, by ranges of ids.

use crate::store::tx::Count;
use crate::store::{Error, Tx};

/// Writes what a batch of changes made and removed.
#[expect(clippy::unused_async, reason = "the next change counts")]
pub(super) async fn settle(_tx: &mut Tx<'_>, _counts: &[Count]) -> Result<(), Error> {
    Ok(())
}
