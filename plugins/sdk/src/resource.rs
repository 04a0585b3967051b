//! Names that an operator gave to things.

/// Gives a tuple struct around a `String` what the name of a resource needs.
macro_rules! resource_name {
    ($kind:ident) => {
        impl $kind {
            /// The thing of this name.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name that the operator gave it.
            pub fn name(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $kind {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}
pub(crate) use resource_name;
