//! A bulk request with what is known of it before anything runs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::{App, Ctx};
use crate::ids::ResourceId;
use crate::scim::bulk::{Method, Operation, Order, Request, makers, order};

/// A bulk request, in which every `POST` has its id already.
pub(super) struct Case {
    pub(super) app: App,
    pub(super) ctx: Ctx,
    pub(super) request: Arc<Request>,
    pub(super) order: Order,
    /// Which `POST` a bulkId names.
    makers: HashMap<Box<str>, usize>,
    /// The id of what each `POST` makes; empty for other operations.
    ids: Vec<String>,
    past: Past,
}

/// What was done of a request before this run of it.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Operations that were processed, and what those of them made that made something.
    pub(super) steps: HashMap<usize, Option<String>>,
}

impl Case {
    pub(super) fn new(app: &App, ctx: &Ctx, request: Arc<Request>, past: Past) -> Self {
        let order = order(&request.operations);
        let mut case = Self {
            app: app.clone(),
            ctx: ctx.clone(),
            makers: names(&request.operations),
            ids: vec![String::new(); request.operations.len()],
            request,
            order,
            past,
        };
        case.give_ids();
        case
    }

    /// In the order in which they are made, so that their rows come one after the other.
    fn give_ids(&mut self) {
        let mut new = ResourceId::many(self.app.clock().now()).map(|id| id.to_string());
        for place in self.order.units().flatten().copied() {
            if self.request.operations[place].method == Some(Method::Post) {
                let made = self.past.steps.get(&place).cloned().flatten();
                self.ids[place] = made.or_else(|| new.next()).unwrap_or_default();
            }
        }
    }

    pub(super) fn operation(&self, place: usize) -> &Operation {
        &self.request.operations[place]
    }

    /// The id of what the `POST` at this place makes.
    pub(super) fn id(&self, place: usize) -> &str {
        &self.ids[place]
    }

    /// The id of what the `POST` of this bulkId makes.
    pub(super) fn id_of(&self, name: &str) -> Option<&str> {
        self.makers.get(name).map(|place| self.id(*place))
    }

    /// The `POST`s that must have succeeded before these operations.
    pub(super) fn needs(&self, unit: &[usize]) -> Box<[usize]> {
        let references = unit.iter().flat_map(|place| &self.operation(*place).references);
        let makers = references.filter_map(|name| self.makers.get(name).copied());
        makers.filter(|maker| !unit.contains(maker)).collect()
    }

    /// How a result calls the operation at this place.
    pub(super) fn name(&self, place: usize) -> String {
        self.operation(place).bulk_id.as_deref().unwrap_or_default().to_owned()
    }

    /// Whether an operation was processed before this run.
    pub(super) fn is_past(&self, place: usize) -> bool {
        self.past.steps.contains_key(&place)
    }

    /// The `POST`s that failed before this run.
    pub(super) fn failed_before(&self) -> impl Iterator<Item = usize> {
        let failed = self.past.steps.iter().filter(|(_, made)| made.is_none());
        failed
            .map(|(place, _)| *place)
            .filter(|place| self.operation(*place).method == Some(Method::Post))
    }

    pub(super) fn total(&self) -> usize {
        self.request.operations.len()
    }
}

/// An operation that is refused by itself makes nothing, but whoever refers to it knows its name.
fn names(operations: &[Operation]) -> HashMap<Box<str>, usize> {
    makers(operations).into_iter().map(|(name, place)| (name.into(), place)).collect()
}
