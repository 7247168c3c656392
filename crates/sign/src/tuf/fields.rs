//! Members of metadata, and what to say where one is not as it should be.

use lotse_yaml::{Map, Value};

use crate::Time;

pub(super) fn member<'a>(value: &'a Value, at: &str, name: &str) -> Result<&'a Value, String> {
    object(value, at)?.get(name).ok_or_else(|| format!("{at}.{name} is missing"))
}

pub(super) fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map, String> {
    value.as_object().ok_or_else(|| format!("{at} is no object"))
}

pub(super) fn array<'a>(value: &'a Value, at: &str) -> Result<&'a [Value], String> {
    value.as_array().ok_or_else(|| format!("{at} is no list"))
}

pub(super) fn text<'a>(value: &'a Value, at: &str, name: &str) -> Result<&'a str, String> {
    member(value, at, name)?.as_str().ok_or_else(|| format!("{at}.{name} is no string"))
}

/// An integer greater than 0.
pub(super) fn positive(value: &Value, at: &str, name: &str) -> Result<u64, String> {
    member(value, at, name)?
        .as_u64()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{at}.{name} is no integer above 0"))
}

/// `YYYY-MM-DDTHH:MM:SSZ` and nothing else (specification, 4.2.3).
pub(super) fn date(value: &Value, at: &str, name: &str) -> Result<Time, String> {
    let text = text(value, at, name)?;
    let fault = || format!("{at}.{name} is {text:?}, which is no date such as 2026-11-21T10:00:00Z");
    let plain = text.len() == 20 && text.ends_with('Z') && text.contains('T');
    plain.then(|| text.parse().ok()).flatten().ok_or_else(fault)
}

/// Strings of a list.
pub(super) fn texts(value: &Value, at: &str, limit: usize) -> Result<Vec<String>, String> {
    let items = array(value, at)?;
    if items.len() > limit {
        return Err(format!("{at} has {} entries; {limit} are read", items.len()));
    }
    items
        .iter()
        .map(|item| {
            item.as_str().map(str::to_owned).ok_or_else(|| format!("{at} has an entry that is no string"))
        })
        .collect()
}
