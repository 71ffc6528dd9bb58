//! Reads a bulk request from the pieces of its body as they come.
//!
//! A whole request as one tree of values would be ten times its size, and a reader that pulls would
//! hold a thread for as long as a slow client sends. So this one is pushed: it knows the outermost
//! grammar, an object with a list in it, and finds where each value below ends ([`extent`]). Each
//! operation is read, strictly, as soon as it is there, and kept as text. What stands between the
//! values is checked here and the values are checked by [`json`], so that together they take what
//! [`json::parse`] takes and nothing else.

mod element;
mod extent;
mod head;

use self::extent::Extent;
use self::head::{Head, Member};
use super::{Operation, Problem, Request};
use crate::scim::error::Error;
use crate::scim::json::{self, Flaw, Position};
use crate::scim::path::excerpt;
use crate::scim::quirks::Quirks;

/// How large a request and its parts may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Operations.
    pub operations: usize,
    /// Bytes.
    pub payload: usize,
    /// Bytes of one operation: what a single request may have, since it is looked at as a whole.
    pub value: usize,
    /// What holds for the body of a single request holds for the data of each operation.
    pub json: json::Limits,
}

/// Why a whole request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is not a bulk request.
    Message(Error),
    /// It has more operations than this.
    Operations(usize),
    /// It is longer than this many bytes.
    Payload(usize),
    /// One of its operations is longer than this many bytes.
    Value(usize),
}

impl From<Flaw> for Refused {
    fn from(flaw: Flaw) -> Self {
        Self::Message(flaw.into())
    }
}

/// Reads one request.
pub struct Reader {
    limits: Limits,
    quirks: Quirks,
    state: State,
    /// The value being read, as far as it is there.
    held: Vec<u8>,
    /// Where it begins.
    began: Position,
    /// How far the text has been read.
    at: Position,
    length: usize,
    member: Member,
    head: Head,
    operations: Vec<Operation>,
}

/// What may come next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// The object, after so many bytes of a byte order mark.
    Start { mark: usize },
    /// The name of a member; the end of the object only where none was promised by a comma.
    Name { first: bool },
    /// What parts a name from its value.
    Colon,
    /// The value of a member.
    Value,
    /// Another member or the end of the object.
    AfterMember,
    /// An operation; the end of the list only where none was promised by a comma.
    Element { first: bool },
    /// Another operation or the end of the list.
    AfterElement,
    /// Nothing.
    End,
    /// The rest of this.
    Within(Token, Extent),
}

#[derive(Debug, Clone, Copy)]
enum Token {
    Name,
    Value,
    Element,
}

/// RFC 8259 s8.1: it may be ignored.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Reader {
    /// A reader of one request.
    pub fn new(limits: Limits, quirks: Quirks) -> Self {
        Self {
            limits,
            quirks,
            state: State::Start { mark: 0 },
            held: Vec::new(),
            began: Position::START,
            at: Position::START,
            length: 0,
            member: Member::Other,
            head: Head::default(),
            operations: Vec::new(),
        }
    }

    /// Takes the next piece of the body. After a refusal there is nothing more to be had.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Refused> {
        self.length += piece.len();
        if self.length > self.limits.payload {
            return Err(Refused::Payload(self.limits.payload));
        }
        let mut rest = piece;
        while let Some(first) = rest.first() {
            let taken = match self.state {
                State::Within(token, extent) => self.go_on(token, extent, rest)?,
                _ => self.step(*first)?,
            };
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Bytes of a value that has begun and not ended: with the next piece it may be read as a whole.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// The whole request, once the body has ended.
    pub fn finish(mut self) -> Result<Request, Refused> {
        match self.state {
            State::End => {}
            State::Start { .. } => return Err(Flaw::empty().into()),
            State::Name { .. }
            | State::Colon
            | State::Value
            | State::AfterMember
            | State::Element { .. }
            | State::AfterElement
            | State::Within(..) => {
                return Err(Flaw::grammar("it ends before it is complete", self.at).into());
            }
        }
        self.head.check(self.quirks).map_err(Refused::Message)?;
        let fail_on_errors = self.head.fail_on_errors().map_err(Refused::Message)?;
        refuse_doubles(&mut self.operations);
        Ok(Request { operations: self.operations, fail_on_errors })
    }

    /// Takes a byte between values; or none, where it is the first of one.
    fn step(&mut self, byte: u8) -> Result<usize, Refused> {
        let next = match (self.state, byte) {
            (State::Start { mark }, byte) if BYTE_ORDER_MARK.get(mark) == Some(&byte) => {
                // A place in the text does not count it.
                self.state = State::Start { mark: mark + 1 };
                return Ok(1);
            }
            // A mark comes whole, and first of all.
            (State::Start { mark: 1 | 2 }, _) => return Err(self.wrong("expected value")),
            (state, b' ' | b'\t' | b'\r' | b'\n') => match state {
                State::Start { .. } => State::Start { mark: BYTE_ORDER_MARK.len() },
                state => state,
            },
            (State::Start { .. }, b'{') => State::Name { first: true },
            (State::Start { .. }, first) => return Err(self.no_object(first)),
            (State::Name { .. }, b'"') => return self.begin(Token::Name, byte),
            (State::Name { first: true } | State::AfterMember, b'}') => State::End,
            (State::Name { first: false }, b'}') | (State::Element { first: false }, b']') => {
                return Err(self.wrong("trailing comma"));
            }
            (State::Name { .. }, _) => return Err(self.wrong("key must be a string")),
            (State::Colon, b':') => State::Value,
            (State::Colon, _) => return Err(self.wrong("expected `:`")),
            (State::Value, b'[') if self.member == Member::Operations => {
                self.head.listed = true;
                State::Element { first: true }
            }
            (State::Value, first) => return self.begin(Token::Value, first),
            (State::AfterMember, b',') => State::Name { first: false },
            (State::AfterMember, _) => return Err(self.wrong("expected `,` or `}`")),
            (State::Element { first: true } | State::AfterElement, b']') => State::AfterMember,
            (State::Element { .. }, first) => {
                if self.operations.len() >= self.limits.operations {
                    return Err(Refused::Operations(self.limits.operations));
                }
                return self.begin(Token::Element, first);
            }
            (State::AfterElement, b',') => State::Element { first: false },
            (State::AfterElement, _) => return Err(self.wrong("expected `,` or `]`")),
            (State::End, _) => return Err(self.wrong("trailing characters")),
            // `push` goes on with these.
            (State::Within(..), _) => self.state,
        };
        self.state = next;
        self.at = self.at.after(&[byte]);
        Ok(1)
    }

    fn begin(&mut self, token: Token, first: u8) -> Result<usize, Refused> {
        if matches!(first, b',' | b':' | b']' | b'}') {
            return Err(self.wrong("expected value"));
        }
        self.held.clear();
        self.began = self.at;
        self.state = State::Within(token, Extent::default());
        Ok(0)
    }

    fn go_on(&mut self, token: Token, mut extent: Extent, bytes: &[u8]) -> Result<usize, Refused> {
        let (length, ended) = extent.feed(bytes);
        if self.held.len() + length > self.limits.value {
            return Err(Refused::Value(self.limits.value));
        }
        self.held.extend_from_slice(&bytes[..length]);
        self.at = self.at.after(&bytes[..length]);
        self.state = State::Within(token, extent);
        if ended {
            let held = std::mem::take(&mut self.held);
            let read = json::utf8(&held)
                .map_err(|flaw| flaw.within(self.began).into())
                .and_then(|text| self.end(token, text));
            // Its memory serves the next one.
            self.held = held;
            read?;
        }
        Ok(length)
    }

    fn end(&mut self, token: Token, text: &str) -> Result<(), Refused> {
        let json = self.limits.json;
        self.state = match token {
            Token::Name => {
                let limits = json::Limits { string: json.key, ..json };
                let name = json::part(text, &limits).map_err(|flaw| flaw.within(self.began))?;
                let name = name.as_str().unwrap_or_default();
                self.member = self.head.meet(name).map_err(Refused::Message)?;
                State::Colon
            }
            Token::Value => {
                // It stands one level deep already.
                let limits = json::Limits { depth: json.depth.saturating_sub(1), ..json };
                let value = json::part(text, &limits).map_err(|flaw| flaw.within(self.began))?;
                self.head.put(self.member, value);
                State::AfterMember
            }
            Token::Element => {
                let place = element::Place { text, began: self.began, limits: &json };
                self.operations.push(place.read(self.quirks)?);
                State::AfterElement
            }
        };
        Ok(())
    }

    fn wrong(&self, what: &str) -> Refused {
        let at = Position { column: self.at.column + 1, ..self.at };
        Flaw::grammar(what, at).into()
    }

    fn no_object(&self, first: u8) -> Refused {
        let what = match first {
            b'[' => "a list",
            b'"' => "a string",
            b'-' | b'0'..=b'9' => "a number",
            b't' | b'f' => "a boolean",
            b'n' => "null",
            _ => return self.wrong("expected value"),
        };
        Refused::Message(Error::InvalidSyntax(format!(
            "The body is {what}; a JSON object {{ … }} belongs here."
        )))
    }
}

/// RFC 7644 s3.7: a bulkId is unique in its request. The first one keeps it.
fn refuse_doubles(operations: &mut [Operation]) {
    let makers = super::order::makers(operations);
    let doubles: Vec<usize> = operations
        .iter()
        .enumerate()
        .filter(|(place, operation)| {
            let maker = operation.made().and_then(|name| makers.get(name));
            maker.is_some_and(|first| first != place)
        })
        .map(|(place, _)| place)
        .collect();
    drop(makers);
    for place in doubles {
        let operation = &mut operations[place];
        let name = excerpt(operation.bulk_id.as_deref().unwrap_or_default());
        let error = Error::InvalidValue(format!(
            "bulkId: '{name}' is the bulkId of an earlier POST of this request; each needs its own."
        ));
        operation.problem.get_or_insert_with(|| Box::new(Problem::Scim(error)));
    }
}

#[cfg(test)]
mod tests;
