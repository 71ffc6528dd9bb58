//! The rows that Usher stores for one user, as many times as they are wanted.

use std::sync::atomic::{AtomicUsize, Ordering};

use usher::scim::resource_type::Registry;
use usher::store::resources::{Draft, Entries};

use crate::{people, seed};

/// A number that stands in the pattern and is replaced in each copy.
const PATTERN: usize = 7_654_321;

/// Copies of one user's rows.
pub(super) struct Pattern {
    draft: Draft,
    next: AtomicUsize,
}

/// The rows of one user: the document, and index and unique entries.
pub(super) struct UserRows {
    pub(super) id: String,
    pub(super) draft: Draft,
}

impl Pattern {
    pub(super) fn new() -> Self {
        let registry = Registry::standard();
        let kind = registry.by_name("User").unwrap();
        let draft = seed::draft(kind, &people::user(PATTERN));
        Self { draft, next: AtomicUsize::new(1_000_000) }
    }

    /// The rows of so many users more.
    pub(super) fn users(&self, count: usize) -> Vec<UserRows> {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        (first..first + count).map(|number| self.user(number)).collect()
    }

    fn user(&self, number: usize) -> UserRows {
        let (pattern, number) = (PATTERN.to_string(), number.to_string());
        let own = |text: &String| text.replace(&pattern, &number);
        let pairs = |entries: &[(String, String)]| {
            entries.iter().map(|(attr, value)| (attr.clone(), own(value))).collect()
        };
        let draft = Draft {
            doc: own(&self.draft.doc),
            folded: own(&self.draft.folded),
            label: own(&self.draft.label),
            entries: Entries {
                index: pairs(&self.draft.entries.index),
                unique: pairs(&self.draft.entries.unique),
            },
            ..Draft::default()
        };
        // As long as the ids of the product, and in ascending order as they are.
        UserRows { id: format!("01990000-0000-7000-8000-{number:0>12}"), draft }
    }
}
