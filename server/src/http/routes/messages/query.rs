//! Which messages a request asks for.

use app::model::Seq;

use crate::http::error::ApiError;
use crate::store::Select;

/// How many messages are returned if the client does not say.
const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;
/// The largest integer that every JSON reader can represent exactly (2⁵³ - 1).
pub const MAX_SEQ: u64 = (1 << 53) - 1;

/// Parses which messages are requested. `after`, `before` and `since` exclude each other; unknown parameters are
/// ignored.
pub fn parse_query(query: &[(String, String)]) -> Result<(Select, usize), ApiError> {
    let (mut select, mut limit) = (None, None);
    for (name, value) in query {
        match name.as_str() {
            "after" => set_once(
                &mut select,
                "after",
                parse_seq("after", value).map(Select::After),
            )?,
            "before" => set_once(
                &mut select,
                "before",
                parse_seq("before", value).map(Select::Before),
            )?,
            "since" => set_once(&mut select, "since", parse_since(value))?,
            "limit" if limit.is_some() => {
                return Err(ApiError::field("limit", "limit is given once"));
            }
            "limit" => limit = Some(parse_limit(value)?),
            _ => {}
        }
    }
    Ok((
        select.unwrap_or(Select::Newest),
        limit.unwrap_or(DEFAULT_LIMIT),
    ))
}

fn set_once(
    chosen: &mut Option<Select>,
    name: &'static str,
    select: Result<Select, ApiError>,
) -> Result<(), ApiError> {
    if chosen.is_some() {
        let detail = "after, before and since exclude each other, and each is given once";
        return Err(ApiError::field(name, detail));
    }
    *chosen = Some(select?);
    Ok(())
}

pub fn parse_seq(name: &'static str, value: &str) -> Result<Seq, ApiError> {
    value
        .parse()
        .ok()
        .filter(|seq| *seq <= MAX_SEQ)
        .map(Seq::new)
        .ok_or_else(|| ApiError::field(name, format!("a sequence number from 0 to {MAX_SEQ}")))
}

fn parse_limit(value: &str) -> Result<usize, ApiError> {
    value
        .parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| ApiError::field("limit", format!("a number from 1 to {MAX_LIMIT}")))
}

fn parse_since(value: &str) -> Result<Select, ApiError> {
    // An unescaped `+` of a time zone offset arrives as a space.
    value
        .replace(' ', "+")
        .parse()
        .map(Select::Since)
        .map_err(|error| ApiError::field("since", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &[(&str, &str)]) -> Result<(Select, usize), ApiError> {
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        parse_query(&query)
    }

    #[test]
    fn queries_are_parsed() {
        let moment = "2026-11-24T12:00:00Z".parse().unwrap();
        for (query, select, limit) in [
            (vec![], Select::Newest, 50),
            (
                vec![("limit", "200"), ("colour", "red")],
                Select::Newest,
                200,
            ),
            (vec![("after", "0")], Select::After(Seq::ZERO), 50),
            (
                vec![("before", "7"), ("limit", "1")],
                Select::Before(Seq::new(7)),
                1,
            ),
            (
                vec![("since", "2026-11-24T12:00:00Z")],
                Select::Since(moment),
                50,
            ),
            (
                vec![("since", "2026-11-24T14:00:00 02:00")],
                Select::Since(moment),
                50,
            ),
        ] {
            assert_eq!(parse(&query).unwrap(), (select, limit), "{query:?}");
        }
    }

    #[test]
    fn an_invalid_query_is_refused_naming_the_field() {
        for (query, named) in [
            (vec![("after", "1"), ("before", "2")], "before"),
            (
                vec![("since", "2026-11-24T12:00:00Z"), ("after", "1")],
                "after",
            ),
            (vec![("after", "1"), ("after", "2")], "after"),
            (vec![("limit", "1"), ("limit", "2")], "limit"),
            (vec![("limit", "0")], "limit"),
            (vec![("limit", "201")], "limit"),
            (vec![("limit", "ten")], "limit"),
            (vec![("limit", "")], "limit"),
            (vec![("after", "-1")], "after"),
            (vec![("after", "1.5")], "after"),
            (vec![("before", "9007199254740992")], "before"),
            (vec![("since", "yesterday")], "since"),
        ] {
            let refused = parse(&query).unwrap_err();
            assert!(
                matches!(refused, ApiError::BadField { field, .. } if field == named),
                "{query:?}"
            );
        }
    }
}
