//! Answers that are made while they are sent: a group of any size does not stand in memory whole.
//!
//! Except where of its members only what some of them lack is asked for, `members.display`: whether
//! there is a list at all is then known at its end. Such groups are read whole, those of a page
//! together.

use std::collections::VecDeque;

use crate::app::view::View;
use crate::app::{App, Error};
use crate::store::{Tx, members};

/// Members that are read at once.
pub(super) const PIECE: usize = 1_000;

/// JSON text, some of which is yet to be read.
///
/// Each piece of a member list is read by itself, so that nothing is held while a slow client
/// reads. The `ETag` is that of the first piece: when the group changes in between, a later
/// `If-Match` fails, which is safe.
#[derive(Debug)]
pub struct Pieces {
    parts: VecDeque<Part>,
    /// How members are shown, where there are some.
    view: Option<Box<View>>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    /// The members of this group behind this one; whether some stand before them.
    Members {
        group: String,
        after: String,
        comma: bool,
    },
}

impl Pieces {
    pub(super) fn new(view: impl Into<Option<View>>) -> Self {
        Self { parts: VecDeque::new(), view: view.into().map(Box::new) }
    }

    pub(super) fn push(&mut self, text: &str) {
        match self.parts.back_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            Some(Part::Members { .. }) | None => self.parts.push_back(Part::Text(text.to_owned())),
        }
    }

    /// Adds a document whose member list goes on, at this place, behind this member.
    pub(super) fn push_open(&mut self, text: &str, gap: usize, group: &str, after: &str) {
        let (head, tail) = text.split_at(gap);
        self.push(head);
        self.parts.push_back(Part::Members {
            group: group.to_owned(),
            after: after.to_owned(),
            comma: !after.is_empty(),
        });
        self.push(tail);
    }

    /// The text, where nothing is left to be read.
    pub fn ready(&mut self) -> Option<String> {
        match self.parts.make_contiguous() {
            [] => Some(String::new()),
            [Part::Text(text)] => Some(std::mem::take(text)),
            _ => None,
        }
    }

    /// The next part of the text; none at its end.
    pub async fn next(&mut self) -> Option<Result<String, Error>> {
        loop {
            match self.parts.pop_front()? {
                Part::Text(text) => return Some(Ok(text)),
                Part::Members { group, after, comma } => {
                    match self.members(group, after, comma).await {
                        Ok(text) if text.is_empty() => {}
                        read => return Some(read),
                    }
                }
            }
        }
    }

    /// All of it.
    pub async fn text(mut self) -> Result<String, Error> {
        let mut text = String::new();
        while let Some(part) = self.next().await {
            text.push_str(&part?);
        }
        Ok(text)
    }

    async fn members(
        &mut self,
        group: String,
        after: String,
        comma: bool,
    ) -> Result<String, Error> {
        let Some(view) = &self.view else { return Ok(String::new()) };
        let app = view.app();
        let (tenant, holder) = (view.tenant().clone(), group.clone());
        let page = members::Piece { after, count: app.piece(), labels: view.wants_labels() };
        let rows = app
            .store()
            .read(async move |tx: &mut Tx<'_>| members::piece(tx, &tenant, &holder, &page).await)
            .await?;
        let Some(last) = rows.last() else { return Ok(String::new()) };
        let after = last.id.clone();
        let more = rows.len() == app.piece();
        let mut text = if comma { ",".to_owned() } else { String::new() };
        text.push_str(&view.elements(rows)?);
        if more {
            self.parts.push_front(Part::Members { group, after, comma: true });
        }
        Ok(text)
    }
}

impl App {
    /// Members that are read at once.
    pub(super) fn piece(&self) -> usize {
        self.0.piece
    }

    /// The same on the same store, reading so many members at once.
    #[must_use]
    pub fn with_pieces(&self, piece: usize) -> Self {
        Self(std::sync::Arc::new(super::Inner { piece, ..(*self.0).clone() }))
    }
}
