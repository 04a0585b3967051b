//! Settings that are texts of a certain form.

/// Lets a type be read from a text and written as one, and gives it the schema of a string.
///
/// The schema has no pattern: what the type itself says of a wrong text is for operators.
macro_rules! text_setting {
    ($kind:ident) => {
        impl TryFrom<String> for $kind {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$kind> for String {
            fn from(setting: $kind) -> Self {
                setting.to_string()
            }
        }

        impl schemars::JsonSchema for $kind {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}
pub(crate) use text_setting;
