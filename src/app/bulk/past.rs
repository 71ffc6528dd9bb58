//! What was done of a job, as it was written down.

use std::sync::Arc;

use serde_json::Value;

use super::Results;
use super::case::Past;
use crate::app::{App, Error};
use crate::scim::bulk::{Method, Operation, Request};
use crate::store::Tx;
use crate::store::bulk::{self, Job, Place, Step};

/// Steps that are read, or forgotten, at once.
pub(super) const PAGE: i64 = 1000;

fn is_full(page: usize) -> bool {
    i64::try_from(page) == Ok(PAGE)
}

impl App {
    /// The operations of a job and what was done of them.
    pub(super) async fn remembered(
        &self,
        job: &Job,
        request: Option<&Arc<Request>>,
    ) -> Result<(Arc<Request>, Past), Error> {
        let mut past = Past::default();
        let mut operations = Vec::new();
        let mut from = 0;
        loop {
            let (place, at) = (job.place.clone(), from);
            let page = self
                .store()
                .read(async move |tx: &mut Tx<'_>| bulk::steps(tx, &place, at, PAGE).await)
                .await?;
            let full = is_full(page.len());
            from = page.last().map_or(from, |step| step.at + 1);
            for step in page {
                let place = usize::try_from(step.at).unwrap_or_default();
                if request.is_none() {
                    operations.resize_with(place + 1, Operation::default);
                    operations[place] = operation_of(&step)?;
                }
                if step.result.is_some() {
                    past.steps.insert(place, step.made);
                }
            }
            if !full {
                break;
            }
        }
        let fail_on_errors = job.fail_on_errors.and_then(|most| u64::try_from(most).ok());
        let request = request.cloned();
        Ok((request.unwrap_or_else(|| Arc::new(Request { operations, fail_on_errors })), past))
    }

    /// Results of a job from this place on.
    pub(super) async fn page_of_results(&self, place: Place, from: u64) -> Result<Results, Error> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows = self
            .store()
            .read(async move |tx: &mut Tx<'_>| bulk::results(tx, &place, from, PAGE).await)
            .await?;
        let full = is_full(rows.len());
        let last = rows.last().and_then(|(at, _)| u64::try_from(at + 1).ok());
        let next = last.filter(|_| full);
        Ok(Results { results: rows.into_iter().map(|(_, result)| result).collect(), next })
    }

    /// All results of a job.
    pub(super) async fn all_results(&self, place: &Place) -> Result<Vec<String>, Error> {
        let (mut all, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let page = self.page_of_results(place.clone(), at).await?;
            all.extend(page.results);
            from = page.next;
        }
        Ok(all)
    }
}

/// What a step was to do. Of one that is done only its name is still needed, which its result has.
fn operation_of(step: &Step) -> Result<Operation, Error> {
    let damaged = || Error::Internal(format!("operation {} of a bulk job is damaged", step.at));
    if let Some(result) = &step.result {
        let shown: Value = serde_json::from_str(result).map_err(|_| damaged())?;
        return Ok(Operation {
            method: shown["method"].as_str().and_then(Method::from_name),
            bulk_id: shown["bulkId"].as_str().map(Into::into),
            ..Operation::default()
        });
    }
    step.operation.as_deref().and_then(Operation::from_line).ok_or_else(damaged)
}
