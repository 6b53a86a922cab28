//! What serde needs to know of the values that the browser parsed. Errors carry no words, since nobody reads them, and
//! fields and variants are found by their place in serde's lists: the general crate for this, with its errors' texts,
//! is four times as large.

use std::slice;

use js_sys::{Array, Number, Object, Reflect};
use serde::de::value::SeqDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use wasm_bindgen::{JsCast, JsValue};

use super::Unfit;

/// A value that `JSON.parse` made.
pub struct Reader(pub JsValue);

impl IntoDeserializer<'_, Unfit> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if let Some(number) = self.0.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number below 2^53"
            )]
            if Number::is_safe_integer(&self.0) && number >= 0.0 {
                visitor.visit_u64(number as u64)
            } else {
                visitor.visit_f64(number)
            }
        } else if let Some(text) = self.0.as_string() {
            visitor.visit_string(text)
        } else if let Some(array) = self.0.dyn_ref::<Array>() {
            visitor.visit_seq(SeqDeserializer::new(array.iter().map(Reader)))
        } else if let Some(truth) = self.0.as_bool() {
            visitor.visit_bool(truth)
        } else {
            Err(Unfit)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_map(Fields {
            object: self.0,
            names: fields.iter(),
            place: 0,
            value: JsValue::UNDEFINED,
        })
    }

    /// `"variant"` or `{"variant":…}`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let (name, value) = match self.0.as_string() {
            Some(name) => (name, JsValue::NULL),
            None => only_entry(&self.0).ok_or(Unfit)?,
        };
        let place = variants.iter().position(|variant| *variant == name);
        visitor.visit_enum(Variant {
            place: place.ok_or(Unfit)?,
            value,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

fn only_entry(value: &JsValue) -> Option<(String, JsValue)> {
    let entry = Object::entries(value.dyn_ref()?).get(0);
    let entry: &Array = entry.dyn_ref()?;
    Some((entry.get(0).as_string()?, entry.get(1)))
}

/// The fields of a struct that are there.
struct Fields {
    object: JsValue,
    names: slice::Iter<'static, &'static str>,
    /// That of the field last read, counted from 1.
    place: u64,
    value: JsValue,
}

impl Fields {
    fn next(&mut self) -> Option<u64> {
        loop {
            let name = JsValue::from_str(self.names.next()?);
            self.place += 1;
            self.value = Reflect::get(&self.object, &name).ok()?;
            if !self.value.is_undefined() {
                return Some(self.place - 1);
            }
        }
    }
}

impl<'de> de::MapAccess<'de> for Fields {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unfit> {
        let place = self.next();
        place
            .map(|place| seed.deserialize(place.into_deserializer()))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        seed.deserialize(Reader(self.value.clone()))
    }
}

struct Variant {
    place: usize,
    value: JsValue,
}

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = Unfit;
    type Variant = Reader;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader), Unfit> {
        let place = seed.deserialize((self.place as u64).into_deserializer())?;
        Ok((place, Reader(self.value)))
    }
}

impl<'de> de::VariantAccess<'de> for Reader {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_struct("", fields, visitor)
    }
}
