//! The order of keys: a JSON object has none, and a manual page needs one.

use schemars::Schema;
use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// The keyword that holds the names of a table's keys in the order of its type. It is not in what is published.
pub const ORDER: &str = "x-order";

/// Notes the order of `T`'s keys in its schema.
pub(crate) fn in_order<T: for<'de> Deserialize<'de>>(schema: &mut Schema) {
    schema.insert(ORDER.to_owned(), keys::<T>().into());
}

/// serde's derive hands the names of the fields to whoever reads a struct.
fn keys<T: for<'de> Deserialize<'de>>() -> Vec<&'static str> {
    let mut keys: &[&str] = &[];
    // It never yields a value: the names are what counts.
    drop(T::deserialize(Listening(&mut keys)));
    keys.to_vec()
}

struct Listening<'k>(&'k mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Listening<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("nothing to read"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
