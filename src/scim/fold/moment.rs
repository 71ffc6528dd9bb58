//! Moments: `xsd:dateTime`, of which RFC 3339 is a part (RFC 7643 s2.3.5).

/// Microseconds since 1970 of a date with time; UTC where no zone is written.
///
/// None for anything else, a date alone included. Finer digits than microseconds are cut off.
pub fn moment(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 19 {
        return None;
    }
    let (date, rest) = text.split_at(10);
    let year = digits(&date[..4])?;
    let (month, day) = (digits(&date[5..7])?, digits(&date[8..10])?);
    let (hour, minute, second) = (digits(&rest[1..3])?, digits(&rest[4..6])?, digits(&rest[7..9])?);
    let marks =
        [bytes[4], bytes[7], bytes[13], bytes[16]] == *b"--::" && matches!(bytes[10], b'T' | b't');
    // xsd:dateTime writes midnight at the end of a day as 24:00:00.
    let end_of_day = hour == 24 && minute == 0 && second == 0;
    let fits = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && (hour < 24 || end_of_day)
        && minute < 60
        && second < 60;
    if !marks || !fits {
        return None;
    }
    let (micros, zone) = fraction(&rest[9..])?;
    if end_of_day && micros != 0 {
        return None;
    }
    let minutes = days_since_1970(year, month, day) * 1_440 + hour * 60 + minute - offset(zone)?;
    Some((minutes * 60 + second) * 1_000_000 + micros)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Reads `.123…`, and gives the microseconds and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (written, zone) = rest.split_at(end);
    if written.is_empty() {
        return None;
    }
    let six: String = written.chars().chain("000000".chars()).take(6).collect();
    Some((digits(&six)?, zone))
}

/// Minutes east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
    (hours * 60 + minutes <= 14 * 60 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Days of whole years before this one in the proleptic Gregorian calendar, from year 0.
    let before = |year: i64| {
        let last = year - 1;
        year * 365 + last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    before(year) - before(1970) + months + day - 1
}
