//! Types that cross the boundary: serde and schemars, and nothing of our own.

use crate::documentation;
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

/// Whether unknown keys are refused.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Closed,
    Open,
}

pub(crate) fn expand(arguments: TokenStream, item: &DeriveInput, shape: Shape) -> TokenStream {
    let checked = check(arguments, item).map_err(|error| error.to_compile_error());
    let closed = match shape {
        Shape::Closed => Some(quote!(#[serde(deny_unknown_fields)])),
        Shape::Open => None,
    };
    let complaint = checked.err();
    quote! {
        #complaint
        #[derive(
            ::sopwith::serde::Serialize,
            ::sopwith::serde::Deserialize,
            ::sopwith::schemars::JsonSchema,
        )]
        #[serde(crate = "::sopwith::serde")]
        #[schemars(crate = "::sopwith::schemars")]
        #closed
        #item
    }
}

fn check(arguments: TokenStream, item: &DeriveInput) -> syn::Result<()> {
    if !arguments.is_empty() {
        return Err(syn::Error::new_spanned(
            arguments,
            "this attribute takes no arguments",
        ));
    }
    match documentation::summary(&item.attrs) {
        Some(_) => Ok(()),
        None => Err(syn::Error::new_spanned(
            &item.ident,
            "a documentation comment is missing: it is what the operator reads of it",
        )),
    }
}
