//! The attributes of the plugin SDK; use them as `sopwith::settings` and so on.

mod action;
mod data;
mod documentation;
mod needs;
mod plugin;

use data::Shape;
use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a type the settings of a procedure, or a part of them: serde and schemars, closed to
/// unknown keys. The first paragraph of its documentation becomes the plugin's summary.
#[proc_macro_attribute]
pub fn settings(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(arguments.into(), &parse_macro_input!(item), Shape::Closed).into()
}

/// Makes a type the inputs of an action: serde and schemars, closed to unknown keys.
#[proc_macro_attribute]
pub fn inputs(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(arguments.into(), &parse_macro_input!(item), Shape::Closed).into()
}

/// Makes a type the output of an action or a step: serde and schemars.
#[proc_macro_attribute]
pub fn output(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(arguments.into(), &parse_macro_input!(item), Shape::Open).into()
}

/// Makes a function an action of the plugin, named after it.
///
/// Arguments are `changes` and `idempotent`; beneath it stand the permissions that it asks for,
/// `#[needs(KIND(ACCESS), from = "JSONPATH", reason = "…")]`, with `optional` where it can do
/// without. `KIND(ACCESS)` is `databases` with `read`, `write` or `replace`, `directories` with
/// `read` or `write`, or `network` with a method of HTTP.
#[proc_macro_attribute]
pub fn action(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let flags = parse_macro_input!(arguments);
    let expanded = action::expand(&flags, parse_macro_input!(item));
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a component of the settings' type and the functions that are its actions, the default
/// first, each by the path of its module: `sopwith::plugin!(Backup: backup::backup, list)`.
///
/// The plugin's name and version are the package's. It defines a type `Component` that is a
/// `sopwith::Plugin`, whose manifest a test can look at.
#[proc_macro]
pub fn plugin(arguments: TokenStream) -> TokenStream {
    plugin::expand(parse_macro_input!(arguments)).into()
}
