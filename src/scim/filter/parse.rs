//! Reads filters.
//!
//! The grammar, RFC 7644 figure 1 with errata 4670, 4690, 7319 and 7322, in own words:
//!
//! ```text
//! filter    = all *( "or" all )                     ; `or` binds loosest
//! all       = term *( "and" term )
//! term      = compare / valuePath / "(" filter ")" / "not" "(" filter ")"
//! compare   = path "pr" / path operator literal
//! valuePath = path "[" filter "]"                   ; the filter inside has no valuePath
//! literal   = JSON string / JSON number / "true" / "false" / "null"
//! path      = [ URN ":" ] name [ "." name ]
//! ```
//!
//! Operators and `and`, `or`, `not` have no case. Clients also write, and [`Grammar`] may allow:
//!
//! ```text
//! term      = … / "not" term
//! valuePath = … / path "[" filter "]" ( "." name ) ( "pr" / operator literal / "[" filter "]" )
//!               / path "[" filter "]" ( "pr" / operator literal )     ; means `.value`
//! literal   = … / word                              ; one bare word is a text
//! ```

use serde_json::Number;

use crate::scim::error::Error;
use crate::scim::filter::token::{Token, Word, refuse, split};
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::path::{AttrPath, excerpt};
use crate::scim::quirks::{Quirk, Quirks};

/// What beyond the RFC is understood, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grammar {
    /// Unquoted texts, `not` without parentheses, and attribute names of any beginning.
    pub bare_words: bool,
    /// `emails[type eq "work"].value eq "x"`.
    pub sub_after_value_path: bool,
    /// The longest filter, in bytes.
    pub max_len: usize,
    /// The deepest nesting of parentheses, brackets and `not`.
    pub max_depth: usize,
}

impl Grammar {
    /// The grammar that these quirks ask for.
    pub fn of(quirks: Quirks) -> Self {
        Self {
            bare_words: quirks.on(Quirk::BareWord),
            sub_after_value_path: quirks.on(Quirk::SubAfterValuePath),
            max_len: 8 * 1024,
            max_depth: 50,
        }
    }
}

/// Reads a filter.
pub fn parse(text: &str, grammar: Grammar) -> Result<Filter, Error> {
    if text.len() > grammar.max_len {
        return Err(Error::InvalidFilter(format!(
            "The filter has {} bytes; at most {} are read. Ask in smaller portions.",
            text.len(),
            grammar.max_len
        )));
    }
    let mut parser = Parser { tokens: split(text)?, next: 0, depth: 0, grammar };
    if parser.tokens.is_empty() {
        return Err(Error::InvalidFilter(
            "The filter is empty. Write attribute operator value, such as userName eq \"x\", \
             or leave the parameter out."
                .to_owned(),
        ));
    }
    let filter = parser.any()?;
    match parser.peek() {
        None => Ok(filter),
        Some(token) => Err(refuse(
            token.at,
            &format!("'and', 'or' or the end was expected, not {}.", shown(&token.what)),
        )),
    }
}

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    next: usize,
    depth: usize,
    grammar: Grammar,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.next)
    }

    fn ahead(&self, by: usize) -> Option<&Word<'t>> {
        self.tokens.get(self.next + by).map(|token| &token.what)
    }

    fn bare(&self, by: usize) -> Option<&'t str> {
        match self.ahead(by) {
            Some(Word::Bare(word)) => Some(word),
            _ => None,
        }
    }

    /// Steps over this word if it comes next; case does not matter.
    fn skip(&mut self, word: &str) -> bool {
        let found = self.bare(0).is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn skip_sign(&mut self, sign: &Word<'_>) -> bool {
        let found = self.ahead(0) == Some(sign);
        self.next += usize::from(found);
        found
    }

    /// The position of the next word, or that after the last one.
    fn at(&self) -> usize {
        self.peek().map_or_else(|| self.tokens.last().map_or(1, |last| last.at + 1), |next| next.at)
    }

    fn any(&mut self) -> Result<Filter, Error> {
        let mut terms = vec![self.all()?];
        while self.skip("or") {
            terms.push(self.all()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Filter::Or(terms) })
    }

    fn all(&mut self) -> Result<Filter, Error> {
        let mut terms = vec![self.term()?];
        while self.skip("and") {
            terms.push(self.term()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Filter::And(terms) })
    }

    /// Every recursion passes here, so that no filter can exhaust the stack.
    fn term(&mut self) -> Result<Filter, Error> {
        self.deeper()?;
        let filter = if self.skip_sign(&Word::Open) {
            self.group()?
        } else if self.at_not() {
            self.next += 1;
            let inner = if self.skip_sign(&Word::Open) {
                self.group()?
            } else if self.grammar.bare_words {
                self.term()?
            } else {
                return Err(refuse(self.at(), "'not' needs parentheses: not (active eq true)."));
            };
            Filter::Not(Box::new(inner))
        } else {
            let path = self.path()?;
            self.after_path(path)?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth <= self.grammar.max_depth {
            return Ok(());
        }
        let limit = self.grammar.max_depth;
        Err(refuse(self.at(), &format!("the filter is nested more than {limit} deep.")))
    }

    /// Whether the next word negates what follows; it may also be an attribute of that name.
    fn at_not(&self) -> bool {
        if !self.bare(0).is_some_and(|word| word.eq_ignore_ascii_case("not")) {
            return false;
        }
        let Some(second) = self.bare(1) else { return true };
        if second.eq_ignore_ascii_case("pr") {
            return self.bare(2).is_some_and(|third| !is_junction(third));
        }
        let compares = Op::from_token(second).is_some();
        let value = match self.ahead(2) {
            Some(Word::Text(_)) => true,
            Some(Word::Bare(third)) => json(third).is_some(),
            _ => false,
        };
        !(compares && value)
    }

    fn group(&mut self) -> Result<Filter, Error> {
        let inner = self.any()?;
        if self.skip_sign(&Word::Close) {
            return Ok(inner);
        }
        Err(self.expected("')'"))
    }

    fn expected(&self, what: &str) -> Error {
        let found = self.peek().map_or_else(|| "the end".to_owned(), |token| shown(&token.what));
        refuse(self.at(), &format!("{what} was expected, not {found}."))
    }

    fn path(&mut self) -> Result<AttrPath, Error> {
        let Some(word) = self.bare(0) else { return Err(self.expected("an attribute")) };
        let path = path(word, self.grammar.bare_words).ok_or_else(|| {
            let what = format!(
                "'{}' is not an attribute. Write name, name.subAttribute or urn:…:name.",
                excerpt(word)
            );
            refuse(self.at(), &what)
        })?;
        self.next += 1;
        Ok(path)
    }

    /// What follows a path: `pr`, an operator with its value, or a bracket.
    fn after_path(&mut self, path: AttrPath) -> Result<Filter, Error> {
        if self.skip_sign(&Word::OpenBracket) {
            let inner = self.any()?;
            if !self.skip_sign(&Word::CloseBracket) {
                return Err(self.expected("']'"));
            }
            return self.after_bracket(path, inner);
        }
        if self.skip("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(word) = self.bare(0) else { return Err(self.expected("an operator")) };
        let Some(op) = Op::from_token(word) else {
            let what = format!(
                "'{}' is not an operator. Use eq, ne, co, sw, ew, gt, ge, lt, le or pr.",
                excerpt(word)
            );
            return Err(refuse(self.at(), &what));
        };
        self.next += 1;
        Ok(Filter::Compare { path, op, value: self.literal()? })
    }

    /// A condition on the element that the bracket selected; it has to hold for the same element.
    fn after_bracket(&mut self, path: AttrPath, inner: Filter) -> Result<Filter, Error> {
        let within = |filter| Filter::Within { path, filter: Box::new(filter) };
        let Some(word) = self.bare(0).filter(|word| !is_junction(word)) else {
            return Ok(within(inner));
        };
        if !self.grammar.sub_after_value_path {
            return Err(refuse(
                self.at(),
                &format!("'{}' may not follow ']'. Write the condition inside it.", excerpt(word)),
            ));
        }
        if let Some(name) = word.strip_prefix('.') {
            let sub = path_of_sub(name, self.grammar.bare_words).ok_or_else(|| {
                refuse(self.at(), &format!("'{}' is not a sub-attribute.", excerpt(name)))
            })?;
            self.next += 1;
            self.deeper()?;
            let more = self.after_path(sub)?;
            self.depth -= 1;
            return Ok(within(Filter::And(vec![inner, more])));
        }
        if self.skip("pr") {
            return Ok(within(inner));
        }
        let more = self.after_path(AttrPath::new("value", None))?;
        Ok(within(Filter::And(vec![inner, more])))
    }

    fn literal(&mut self) -> Result<Literal, Error> {
        let at = self.at();
        let Some(token) = self.peek() else { return Err(self.expected("a value")) };
        let value = match &token.what {
            Word::Text(text) => Literal::Text(text.clone()),
            Word::Bare(word) => match json(word) {
                Some(value) => value,
                None if self.grammar.bare_words && !word.starts_with('\'') => {
                    Literal::Text((*word).to_owned())
                }
                None => {
                    return Err(refuse(
                        at,
                        &format!(
                            "'{}' is not a value. Text stands in double quotes.",
                            excerpt(word)
                        ),
                    ));
                }
            },
            Word::Open | Word::Close | Word::OpenBracket | Word::CloseBracket => {
                return Err(self.expected("a value"));
            }
        };
        self.next += 1;
        Ok(value)
    }
}

fn is_junction(word: &str) -> bool {
    word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or")
}

/// A JSON literal that is not a string.
fn json(word: &str) -> Option<Literal> {
    match word {
        "true" => Some(Literal::Bool(true)),
        "false" => Some(Literal::Bool(false)),
        "null" => Some(Literal::Null),
        _ => serde_json::from_str::<Number>(word).ok().map(Literal::Number),
    }
}

/// A path; names of any beginning are let through where asked, since no schema will have them.
fn path(word: &str, loose: bool) -> Option<AttrPath> {
    if let Ok(path) = AttrPath::parse(word) {
        return Some(path);
    }
    if !loose || word.contains(':') {
        return None;
    }
    let (name, sub) = word.split_once('.').map_or((word, None), |(name, sub)| (name, Some(sub)));
    (is_loose_name(name) && sub.is_none_or(is_loose_name)).then(|| AttrPath::new(name, sub))
}

fn path_of_sub(name: &str, loose: bool) -> Option<AttrPath> {
    path(name, loose).filter(|path| path.urn.is_none() && path.sub.is_none())
}

fn is_loose_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_'))
}

fn shown(word: &Word<'_>) -> String {
    match word {
        Word::Open => "'('".to_owned(),
        Word::Close => "')'".to_owned(),
        Word::OpenBracket => "'['".to_owned(),
        Word::CloseBracket => "']'".to_owned(),
        Word::Text(text) => format!("the text \"{}\"", excerpt(text)),
        Word::Bare(word) => format!("'{}'", excerpt(word)),
    }
}

#[cfg(test)]
mod tests;
