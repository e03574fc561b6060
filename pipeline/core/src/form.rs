//! What the forms of all messages have in common: how they are read, their names, ids and numbers.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::de::Read;
use serde_json::{Number, Value};
use uuid::Uuid;

use crate::MessageError;
use crate::strict::Strict;

/// The longest name in characters: names are keys of indexes.
const MAX_NAME: usize = 200;
/// The largest number of days or takes: the largest that a signed number of 32 bits holds, as columns of tables have it.
pub(crate) const MAX_COUNT: u32 = i32::MAX as u32;

/// Reads a message of one form, comments stripped, and names the path of what does not fit.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, MessageError> {
    without_nul(text)?;
    let stripped = json_comments::StripComments::new(text.as_bytes());
    read(serde_json::Deserializer::from_reader(stripped), "message")
}

/// Reads a JSON document of one form and names the path of what does not fit; `whole` is what the document is called.
pub(crate) fn read<'de, R: Read<'de>, T: Deserialize<'de>>(
    mut json: serde_json::Deserializer<R>,
    whole: &str,
) -> Result<T, MessageError> {
    let document = serde_path_to_error::deserialize(Strict(&mut json)).map_err(|error| {
        let path = error.path().to_string();
        // A path is stored with the refusal. It has U+0000 only where the text behind it is no JSON.
        let path = if path == "." || path.contains('\0') { whole.to_owned() } else { path };
        MessageError::at(path, error.inner().to_string())
    })?;
    json.end().map_err(|error| MessageError::at(whole, error.to_string()))?;
    Ok(document)
}

/// Refuses U+0000, which is valid in JSON, and which no text of the database takes.
fn without_nul(text: &str) -> Result<(), MessageError> {
    // Raw it is no JSON, and there is one way to escape it: nearly every message needs no second look.
    if !text.contains(r"\u0000") {
        return Ok(());
    }
    let stripped = json_comments::StripComments::new(text.as_bytes());
    // What is no JSON is told by whoever reads the form.
    let Ok(message) = serde_json::from_reader::<_, Value>(stripped) else { return Ok(()) };
    match path_of_nul(&message, "") {
        Some(path) if path.is_empty() => Err(MessageError::at("message", "holds U+0000")),
        Some(path) => Err(MessageError::at(path, "holds U+0000")),
        None => Ok(()),
    }
}

/// Where the first text with U+0000 stands. Of a field whose name has it, what the field stands in: the path is stored.
fn path_of_nul(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, item)| path_of_nul(item, &format!("{path}[{i}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            if name.contains('\0') {
                return Some(path.to_owned());
            }
            let dot = if path.is_empty() { "" } else { "." };
            path_of_nul(field, &format!("{path}{dot}{name}"))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// True for what can name a tenant, an interview, a candidate or a position.
#[must_use]
pub fn is_name(text: &str) -> bool {
    name("", text).is_ok() && !text.contains('\0')
}

/// Checks the length of a name.
pub(crate) fn name(path: &str, value: &str) -> Result<(), MessageError> {
    if value.trim().is_empty() {
        return Err(MessageError::at(path, "is empty"));
    }
    if value.chars().count() > MAX_NAME {
        return Err(MessageError::at(path, format!("is longer than {MAX_NAME} characters")));
    }
    Ok(())
}

/// Checks the size of a number of days or takes.
pub(crate) fn count(path: &str, value: u32) -> Result<(), MessageError> {
    if value > MAX_COUNT { Err(MessageError::at(path, format!("is above {MAX_COUNT}"))) } else { Ok(()) }
}

/// Reads a UUID with its hyphens, and in no other of the forms that the type would take.
pub(crate) fn read_job_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    const HYPHENATED: usize = uuid::fmt::Hyphenated::LENGTH;
    let text = String::deserialize(deserializer)?;
    let id = Uuid::try_parse(&text).ok().filter(|_| text.len() == HYPHENATED);
    id.ok_or_else(|| D::Error::custom("is no UUID of the form 8-4-4-4-12"))
}

/// Reads a count.
pub(crate) fn read_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole(&Number::deserialize(deserializer)?).ok_or_else(not_whole)
}

/// Reads a count that may be null.
pub(crate) fn read_optional_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number = Option::<Number>::deserialize(deserializer)?;
    number.map(|number| whole(&number).ok_or_else(not_whole)).transpose()
}

/// The number as a count, where it is one: `30.0` is the integer 30 to JSON schemas, and to what writes JSON in some languages.
fn whole(number: &Number) -> Option<u32> {
    let value = number.as_f64().filter(|value| value.fract() == 0.0)?;
    (0.0..=f64::from(MAX_COUNT)).contains(&value).then_some(value as u32)
}

fn not_whole<E: Error>() -> E {
    E::custom(format!("is no whole number from 0 to {MAX_COUNT}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_length_and_no_nul() {
        for good in ["a", "\u{e9}", &"\u{e9}".repeat(200)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", " \t", "a\0", &"a".repeat(201)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn text_that_only_looks_like_nul_is_read() {
        let path = |text: &str| from_json::<Value>(text).map_err(|error| error.path);
        assert_eq!(path(r#"{"a": "\\u0000"} // \u0000"#).unwrap()["a"], "\\u0000");
        assert_eq!(path(r#"["\u0000"]"#), Err("[0]".to_owned()));
        assert_eq!(path(r#""\u0000""#), Err("message".to_owned()));
        assert_eq!(path(r#"{"\u0000": 1}"#), Err("message".to_owned()));
        assert_eq!(path(r#"{"a": [{"b": "c", "\u0000": 1}]}"#), Err("a[0]".to_owned()));
        assert_eq!(path(r#"{"a": [{"b": "\u0000\u0000"}]}"#), Err("a[0].b".to_owned()));
    }

    #[test]
    fn a_message_is_no_list_of_its_values() {
        #[derive(Debug, Deserialize)]
        struct Form {
            name: String,
        }
        assert_eq!(from_json::<Form>(r#"{"name": "a"}"#).unwrap().name, "a");
        let error = from_json::<Form>(r#"["a"]"#).unwrap_err();
        assert_eq!(error.path, "message");
        assert!(error.detail.starts_with("invalid type: sequence"), "{error}");
    }

    #[test]
    fn no_path_of_a_broken_message_has_nul() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {}
        let error = from_json::<Form>(r#"{"a\u0000b": 1, broken"#).unwrap_err();
        assert_eq!(error.path, "message");
    }
}
