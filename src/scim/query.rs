//! What a client asks of a list: the parameters of a URL, or a search message (RFC 7644 s3.4.2).

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::scim::error::Error;
use crate::scim::path::excerpt;
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::urn;

/// The parameters of a query, read and checked; names are not resolved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The filter; never empty.
    pub filter: Option<String>,
    /// The same with `+` as space, to be tried once when `filter` does not parse.
    pub filter_plus_as_space: Option<String>,
    /// The attribute to sort by.
    pub sort_by: Option<String>,
    /// Whether to sort from high to low.
    pub descending: bool,
    /// The first result, counted from 1.
    pub start: i64,
    /// Where to go on, empty for the first page; none when pages are told by `start`.
    pub cursor: Option<String>,
    /// How many results at most; none when the client leaves it to the server.
    pub count: Option<i64>,
    /// The attributes to show.
    pub attributes: Vec<String>,
    /// The attributes to leave out.
    pub excluded: Vec<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter: None,
            filter_plus_as_space: None,
            sort_by: None,
            descending: false,
            start: 1,
            cursor: None,
            count: None,
            attributes: Vec::new(),
            excluded: Vec::new(),
        }
    }
}

/// Every parameter of RFC 7644 s3.4.2, table 2, and s3.9, and of RFC 9865 s2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parameter {
    Filter,
    SortBy,
    SortOrder,
    StartIndex,
    Cursor,
    Count,
    Attributes,
    ExcludedAttributes,
}

impl Parameter {
    const ALL: [Self; 8] = [
        Self::Filter,
        Self::SortBy,
        Self::SortOrder,
        Self::StartIndex,
        Self::Cursor,
        Self::Count,
        Self::Attributes,
        Self::ExcludedAttributes,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::SortBy => "sortBy",
            Self::SortOrder => "sortOrder",
            Self::StartIndex => "startIndex",
            Self::Cursor => "cursor",
            Self::Count => "count",
            Self::Attributes => "attributes",
            Self::ExcludedAttributes => "excludedAttributes",
        }
    }

    fn find(name: &str, any_case: bool) -> Option<Self> {
        Self::ALL.into_iter().find(|known| {
            known.name() == name || any_case && known.name().eq_ignore_ascii_case(name)
        })
    }
}

impl Query {
    /// Reads the query string of a URL, without its question mark.
    pub fn from_query_string(raw: &str, quirks: Quirks) -> Result<Self, Error> {
        let mut query = Self::default();
        let mut seen: Vec<Parameter> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name, true)?;
            let Some(parameter) = Parameter::find(&name, quirks.on(Quirk::ParameterCase)) else {
                // RFC 7644 s3.4.2: "providers SHOULD ignore any query parameters they do not recognize".
                continue;
            };
            once(parameter, &mut seen)?;
            if parameter == Parameter::Filter {
                query.read_filter(value, quirks)?;
            } else {
                query.read_text(parameter, decoded(value, true)?)?;
            }
        }
        one_way_of_paging(&seen)?;
        Ok(query)
    }

    /// Reads a search message (RFC 7644 s3.4.3).
    pub fn from_search(body: &Value, quirks: Quirks) -> Result<Self, Error> {
        let Value::Object(message) = body else {
            return Err(Error::InvalidSyntax(
                "A search is a JSON object with the schema of a SearchRequest.".to_owned(),
            ));
        };
        check_schemas(message, quirks)?;
        let mut query = Self::default();
        let mut seen: Vec<Parameter> = Vec::new();
        for (name, value) in message {
            let Some(parameter) = Parameter::find(name, true) else { continue };
            once(parameter, &mut seen)?;
            if value.is_null() {
                seen.pop();
            } else {
                query.read_json(parameter, value, quirks)?;
            }
        }
        one_way_of_paging(&seen)?;
        Ok(query)
    }

    fn read_filter(&mut self, raw: &str, quirks: Quirks) -> Result<(), Error> {
        // A client that writes %20 for its spaces means a plus when it writes one.
        let keeps_plus = quirks.on(Quirk::RawPlus) && raw.contains("%20") && raw.contains('+');
        self.set_filter(decoded(raw, !keeps_plus)?)?;
        if keeps_plus {
            self.filter_plus_as_space = Some(decoded(raw, true)?);
        }
        Ok(())
    }

    fn set_filter(&mut self, text: String) -> Result<(), Error> {
        if text.trim().is_empty() {
            // Never the unfiltered list for a filter that went missing.
            return Err(Error::InvalidFilter(
                "The filter is empty. Write one such as userName eq \"x\", or leave it out."
                    .to_owned(),
            ));
        }
        self.filter = Some(text);
        Ok(())
    }

    fn read_text(&mut self, parameter: Parameter, text: String) -> Result<(), Error> {
        match parameter {
            Parameter::Filter => return self.set_filter(text),
            Parameter::SortBy => self.sort_by = Some(text).filter(|text| !text.is_empty()),
            Parameter::SortOrder => self.descending = is_descending(&text)?,
            Parameter::StartIndex => self.start = integer(parameter, &text)?.max(1),
            Parameter::Cursor => self.cursor = Some(text),
            Parameter::Count => self.count = Some(integer(parameter, &text)?.max(0)),
            Parameter::Attributes => self.attributes = names(&text),
            Parameter::ExcludedAttributes => self.excluded = names(&text),
        }
        Ok(())
    }

    fn read_json(
        &mut self,
        parameter: Parameter,
        value: &Value,
        quirks: Quirks,
    ) -> Result<(), Error> {
        match (parameter, value) {
            (
                Parameter::Filter | Parameter::SortBy | Parameter::SortOrder | Parameter::Cursor,
                Value::String(text),
            ) => self.read_text(parameter, text.clone()),
            (Parameter::StartIndex | Parameter::Count, Value::Number(number))
                if number.is_i64() || number.is_u64() =>
            {
                self.read_text(parameter, number.to_string())
            }
            (Parameter::Attributes | Parameter::ExcludedAttributes, Value::String(text))
                if quirks.on(Quirk::TextAttributes) =>
            {
                self.read_text(parameter, text.clone())
            }
            (Parameter::Attributes, Value::Array(list)) => {
                self.attributes = strings(parameter, list)?;
                Ok(())
            }
            (Parameter::ExcludedAttributes, Value::Array(list)) => {
                self.excluded = strings(parameter, list)?;
                Ok(())
            }
            (wrong, _) => Err(wrong_type(wrong)),
        }
    }
}

fn once(parameter: Parameter, seen: &mut Vec<Parameter>) -> Result<(), Error> {
    if seen.contains(&parameter) {
        return Err(Error::InvalidValue(format!(
            "The parameter '{}' is there twice; send it once.",
            parameter.name()
        )));
    }
    seen.push(parameter);
    Ok(())
}

/// RFC 9865 s2.4: who names a parameter asks for its way of paging; nobody can mean both.
fn one_way_of_paging(seen: &[Parameter]) -> Result<(), Error> {
    if seen.contains(&Parameter::Cursor) && seen.contains(&Parameter::StartIndex) {
        return Err(Error::InvalidValue(
            "cursor and startIndex are two ways of paging; send one of them.".to_owned(),
        ));
    }
    Ok(())
}

/// Decodes percent signs once (RFC 3986 s2.4).
fn decoded(raw: &str, plus_is_space: bool) -> Result<String, Error> {
    let bad = || {
        Err(Error::InvalidValue(format!(
            "'{}' in the URL is not percent-encoded UTF-8.",
            excerpt(raw)
        )))
    };
    let escapes = raw.split('%').skip(1);
    let mut heads = escapes.map(|rest| rest.as_bytes().get(..2).unwrap_or_default());
    if !heads.all(|head| head.len() == 2 && head.iter().all(u8::is_ascii_hexdigit)) {
        return bad();
    }
    let spaced = if plus_is_space { raw.replace('+', " ") } else { raw.to_owned() };
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => bad(),
    }
}

fn integer(parameter: Parameter, text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| {
        Error::InvalidValue(format!(
            "{} is '{}'; it must be a whole number.",
            parameter.name(),
            excerpt(text)
        ))
    })
}

fn is_descending(text: &str) -> Result<bool, Error> {
    if text.eq_ignore_ascii_case("ascending") {
        Ok(false)
    } else if text.eq_ignore_ascii_case("descending") {
        Ok(true)
    } else {
        Err(Error::InvalidValue(format!(
            "sortOrder is '{}'; it must be ascending or descending.",
            excerpt(text)
        )))
    }
}

/// The names of a list with commas; a comma inside brackets belongs to a name.
fn names(text: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let parts = text.split(|c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ',' && depth <= 0
    });
    parts.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn strings(parameter: Parameter, list: &[Value]) -> Result<Vec<String>, Error> {
    let texts = list.iter().map(|item| item.as_str().ok_or_else(|| wrong_type(parameter)));
    let mut found = Vec::new();
    for text in texts {
        found.extend(Some(text?.trim()).filter(|text| !text.is_empty()).map(str::to_owned));
    }
    Ok(found)
}

fn wrong_type(parameter: Parameter) -> Error {
    let right = match parameter {
        Parameter::Filter | Parameter::SortBy | Parameter::SortOrder | Parameter::Cursor => {
            "a string"
        }
        Parameter::StartIndex | Parameter::Count => "a whole number",
        Parameter::Attributes | Parameter::ExcludedAttributes => "a list of attribute names",
    };
    Error::InvalidValue(format!("{} of a search must be {right}.", parameter.name()))
}

fn check_schemas(message: &serde_json::Map<String, Value>, quirks: Quirks) -> Result<(), Error> {
    let sent = message.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas"));
    let right = match sent.map(|(_, value)| value) {
        None | Some(Value::Null) => quirks.on(Quirk::NoSchemas),
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).any(|text| urn::same(text, urn::SEARCH))
        }
        Some(_) => false,
    };
    if right {
        return Ok(());
    }
    Err(Error::InvalidSyntax(format!("schemas of a search must be [\"{}\"].", urn::SEARCH)))
}

#[cfg(test)]
mod tests;
