//! Cursors (RFC 9865): where a page ended, and whose list that was.
//!
//! A cursor holds all there is to know: nothing is kept on the server between two pages. It is
//! sealed before it leaves (app/cursors.rs).

use sha2::{Digest, Sha256};

use crate::scim::query::Query;

/// What the first byte of a cursor says; another form of cursor gets another number.
const VERSION: u8 = 1;

/// The value that a resource is sorted by. Texts are cut (`fold::sorted_bytes`).
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    /// The first bytes of a folded text; the last character may be cut in two.
    Text(Vec<u8>),
    /// A whole number, a moment in microseconds, or a truth value as 0 or 1.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
}

/// A resource's place in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Its resource type: without sorting, lists go type by type.
    pub kind: String,
    /// What it is sorted by; none where it has no such value, or nothing is sorted.
    pub key: Option<SortKey>,
    /// Its id, by which equals are ordered.
    pub id: String,
    /// Whether the page begins with this place instead of behind it.
    pub inclusive: bool,
}

/// What a cursor says.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// When it was given out, in seconds since 1970.
    pub issued: i64,
    /// Whether it leads to the page before.
    pub back: bool,
    /// How many results the first request of the walk wanted on a page; none where it left that open.
    pub count: Option<i64>,
    /// Where to go on; none means the beginning of the list.
    pub mark: Option<Mark>,
}

impl Cursor {
    /// The cursor as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, u8::from(self.back)];
        bytes.extend(self.issued.to_be_bytes());
        bytes.extend(self.count.unwrap_or(-1).to_be_bytes());
        let Some(mark) = &self.mark else { return bytes };
        bytes.push(u8::from(mark.inclusive));
        put(&mut bytes, mark.kind.as_bytes());
        put(&mut bytes, mark.id.as_bytes());
        match &mark.key {
            None => {}
            Some(SortKey::Text(text)) => {
                bytes.push(b't');
                bytes.extend(text);
            }
            Some(SortKey::Int(number)) => {
                bytes.push(b'i');
                bytes.extend(number.to_be_bytes());
            }
            Some(SortKey::Real(number)) => {
                bytes.push(b'r');
                bytes.extend(number.to_be_bytes());
            }
        }
        bytes
    }

    /// Reads what [`Cursor::encode`] wrote; none for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[version, back], rest) = bytes.split_first_chunk::<2>()?;
        if version != VERSION {
            return None;
        }
        let (issued, rest) = rest.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first_chunk::<8>()?;
        let count = i64::from_be_bytes(*count);
        let mark = if rest.is_empty() { None } else { Some(mark(rest)?) };
        Some(Self {
            issued: i64::from_be_bytes(*issued),
            back: back == 1,
            count: (count >= 0).then_some(count),
            mark,
        })
    }
}

fn mark(bytes: &[u8]) -> Option<Mark> {
    let (inclusive, rest) = bytes.split_first()?;
    let (kind, rest) = take(rest)?;
    let (id, rest) = take(rest)?;
    let key = match rest.split_first() {
        None => None,
        Some((b't', text)) => Some(SortKey::Text(text.to_vec())),
        Some((b'i', number)) => Some(SortKey::Int(i64::from_be_bytes(number.try_into().ok()?))),
        Some((b'r', number)) => Some(SortKey::Real(f64::from_be_bytes(number.try_into().ok()?))),
        Some(_) => return None,
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some(Mark { kind: text(kind)?, key, id: text(id)?, inclusive: *inclusive == 1 })
}

/// Appends bytes behind their number.
fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    to.extend(bytes);
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// What a cursor is good for: it opens for the same caller with the same rights and the same query
/// alone (RFC 9865 s2, s5.2).
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Whose resources.
    pub tenant: &'a str,
    /// Who asks.
    pub token: &'a str,
    /// What that token may do.
    pub scopes: &'a str,
    /// The resource types of the endpoint.
    pub kinds: &'a [&'a str],
    /// The query; its `cursor`, `count` and `startIndex` do not count.
    pub query: &'a Query,
}

impl Binding<'_> {
    /// Everything as one digest: two bindings have the same only when they are the same.
    pub fn digest(&self) -> [u8; 32] {
        let query = self.query;
        let mut bytes = Vec::new();
        for text in [self.tenant, self.token, self.scopes] {
            put(&mut bytes, text.as_bytes());
        }
        for text in [&query.filter, &query.sort_by] {
            bytes.push(u8::from(text.is_some()));
            put(&mut bytes, text.as_deref().unwrap_or_default().as_bytes());
        }
        bytes.push(u8::from(query.descending));
        for list in [&query.attributes, &query.excluded] {
            bytes.extend((list.len() as u64).to_be_bytes());
            for name in list {
                put(&mut bytes, name.as_bytes());
            }
        }
        for kind in self.kinds {
            put(&mut bytes, kind.as_bytes());
        }
        Sha256::digest(&bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor() -> impl Strategy<Value = Cursor> {
        let key = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20).prop_map(SortKey::Text),
            any::<i64>().prop_map(SortKey::Int),
            (-1e300..1e300).prop_map(SortKey::Real),
        ];
        let mark = (".{0,9}", prop::option::of(key), ".{0,9}", any::<bool>())
            .prop_map(|(kind, key, id, inclusive)| Mark { kind, key, id, inclusive });
        let count = prop::option::of(0..i64::MAX);
        (any::<i64>(), any::<bool>(), count, prop::option::of(mark))
            .prop_map(|(issued, back, count, mark)| Cursor { issued, back, count, mark })
    }

    proptest! {
        /// Proves SCIM-290.
        #[test]
        fn a_cursor_comes_back_as_it_went(cursor in cursor()) {
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn what_is_no_cursor_is_refused_in_peace(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Cursor::decode(&bytes);
            prop_assert_eq!(Cursor::decode(&[&[VERSION + 1], &bytes[..]].concat()), None);
        }
    }

    /// Proves SCIM-275, SCIM-286, SCIM-287.
    #[test]
    fn every_part_of_what_it_is_bound_to_counts() {
        let query = Query { filter: Some("a pr".to_owned()), ..Query::default() };
        let own =
            Binding { tenant: "t", token: "k", scopes: "scim", kinds: &["User"], query: &query };
        let names = |text: &str| vec![text.to_owned()];
        let queries = [
            Query::default(),
            Query { filter: Some("b pr".to_owned()), ..query.clone() },
            Query { sort_by: Some("a".to_owned()), ..query.clone() },
            Query { descending: true, ..query.clone() },
            Query { attributes: names("a"), ..query.clone() },
            Query { excluded: names("a"), ..query.clone() },
        ];
        let mut others: Vec<_> = queries.iter().map(|query| Binding { query, ..own }).collect();
        others.push(Binding { tenant: "u", ..own });
        others.push(Binding { token: "l", ..own });
        others.push(Binding { scopes: "users:read", ..own });
        others.push(Binding { kinds: &["User", "Group"], ..own });
        let mut digests: Vec<_> = others.iter().map(Binding::digest).collect();
        digests.push(own.digest());
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), others.len() + 1);
        let same = Query { count: Some(3), cursor: Some("x".to_owned()), ..query.clone() };
        assert_eq!(Binding { query: &same, ..own }.digest(), own.digest());
    }
}
