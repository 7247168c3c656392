//! proto3 JSON (protobuf.dev, "ProtoJSON Format") as we read it. The rules, where the format leaves a choice or readers in
//! the field differ:
//!
//! - A member may have its camelCase or its original snake_case name, never both, never twice. Unknown members are refused.
//! - A member that is absent or `null` has its default; what must not be at its default is refused by name.
//! - 64-bit integers are decimal strings or JSON integers; no fraction, no exponent, no sign but `-`, no leading zeros.
//! - Bytes are base64 of the standard or the URL-safe alphabet, with or without padding; no line breaks, no blanks, no bits
//!   set behind the last byte.
//! - Enumerations are their names; numbers are refused.
//! - One JSON value, valid UTF-8, nothing behind it.

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::encoding;

/// `bytes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

/// `int64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Int64(pub(crate) i64);

impl Bytes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Int64 {
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?.unwrap_or_default();
        encoding::decode("bytes", &text).map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encoding::encode(&self.0))
    }
}

impl Serialize for Int64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = i64;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an integer, or one in a string")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<i64, E> {
                Ok(value)
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<i64, E> {
                i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let plain = digits == "0" || !digits.starts_with(['0', '+']);
                match text.parse() {
                    Ok(value) if plain => Ok(value),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<i64, E> {
                Ok(0)
            }
        }
        deserializer.deserialize_any(Number).map(Self)
    }
}

/// A member whose `null` means its default.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
