//! The documented JSON schemas, ready to hold documents against.

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use crate::source_dir;

/// A schema of `docs/`, as it is.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
pub fn document(name: &str) -> Value {
    let path = source_dir().join("docs").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A schema of `docs/`, or the part `#/$defs/PART` of it, with the schemas that it refers to.
///
/// # Panics
/// Where it is no schema.
#[must_use]
pub fn validator(name: &str, part: Option<&str>) -> Validator {
    let mut schema = document(name);
    if let Some(part) = part {
        let reference = format!("#/$defs/{part}");
        let whole = schema.as_object_mut().unwrap_or_else(|| panic!("{name} is no object"));
        whole.retain(|key, _| key.starts_with('$'));
        whole.insert("$ref".to_owned(), Value::from(reference));
    }
    jsonschema::options().with_retriever(Neighbours).build(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Finds the schemas that a schema refers to: all of them lie in `docs/`.
struct Neighbours;

impl Retrieve for Neighbours {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let path = uri.path().as_str();
        Ok(document(path.rsplit('/').next().unwrap_or(path)))
    }
}

/// What `validator` has to say against a document: where, and what.
#[must_use]
pub fn complaints(validator: &Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
