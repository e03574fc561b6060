//! Reading a form by the letter: a struct from an object alone, a word of a closed list from a text alone.
//!
//! Derived code takes more: a struct from a list of its fields' values too, and a word from an object that holds nothing
//! under it. Whoever sends such a thing meant something else.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A deserializer of a format that tells its types apart, such as JSON, which is strict in all that it holds.
pub(crate) struct Strict<D>(pub(crate) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Inside(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Inside(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Inside(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Inside(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_str(Named(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// A visitor, the parts that it is shown, and what is made of them: strictness is handed on from each to the next.
struct Inside<T>(T);

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        self.0.visit_bool(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.0.visit_i64(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.0.visit_u64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        self.0.visit_f64(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.0.visit_str(text)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Inside(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Inside(fields))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Inside<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Inside(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Inside<A> {
    type Error = A::Error;

    // A key is a text already.
    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Inside(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Inside<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        self.0.deserialize(Strict(deserializer))
    }
}

/// The visitor of an enum whose variants are words.
struct Named<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Named<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.0.visit_enum(StrDeserializer::<E>::new(text))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        Left,
        Right,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        side: Side,
        size: f32,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Form {
        first: Pair,
        other: Option<Pair>,
        listed: Vec<Pair>,
        by_side: BTreeMap<Side, Pair>,
        range: [u64; 2],
        wrapped: Wrapped,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(Pair);

    fn read<T: for<'de> Deserialize<'de>>(json: &str) -> Result<T, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        T::deserialize(Strict(&mut deserializer)).map_err(|error| error.to_string())
    }

    /// A form in which one of the pairs is `pair` and the others are whole.
    fn form(place: usize, pair: &str) -> String {
        let pairs: Vec<&str> =
            (0..5).map(|i| if i == place { pair } else { r#"{"side": "left", "size": 1}"# }).collect();
        format!(
            r#"{{"first": {}, "other": {}, "listed": [{}], "by_side": {{"right": {}}}, "range": [1, 2], "wrapped": {},
                "unknown": [{{"x": null}}, true, -1.5]}}"#,
            pairs[0], pairs[1], pairs[2], pairs[3], pairs[4]
        )
    }

    #[test]
    fn a_form_by_the_letter_is_read() {
        let form: Form = read(&form(1, "null")).unwrap();
        let pair = || Pair { side: Side::Left, size: 1.0 };
        assert_eq!((form.first, form.other, form.listed), (pair(), None, vec![pair()]));
        assert_eq!((form.by_side, form.range), (BTreeMap::from([(Side::Right, pair())]), [1, 2]));
        assert_eq!(form.wrapped, Wrapped(pair()));
    }

    #[test]
    fn a_list_is_no_struct_and_an_object_is_no_word() {
        for place in 0..5 {
            let list = read::<Form>(&form(place, r#"["left", 1]"#)).unwrap_err();
            assert!(list.starts_with("invalid type: sequence, expected struct Pair"), "{place}: {list}");
            let word = read::<Form>(&form(place, r#"{"side": {"left": null}, "size": 1}"#)).unwrap_err();
            assert!(word.starts_with("invalid type: map, expected enum Side"), "{place}: {word}");
            let twice = read::<Form>(&form(place, r#"{"side": "left", "size": 1, "side": "left"}"#)).unwrap_err();
            assert!(twice.starts_with("duplicate field `side`"), "{place}: {twice}");
        }
        assert!(read::<Pair>(r#"["left", 1]"#).is_err() && read::<Side>(r#"{"left": null}"#).is_err());
        assert_eq!(read::<Side>(r#""right""#), Ok(Side::Right));
        assert!(read::<Side>(r#""up""#).unwrap_err().starts_with("unknown variant `up`"));
    }
}
