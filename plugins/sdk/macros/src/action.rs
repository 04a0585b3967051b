//! Functions as actions.

use crate::{documentation, needs};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{FnArg, Ident, ItemFn, Result, Token, Type};

/// What stands in the parentheses of `#[sopwith::action(…)]`.
#[derive(Default)]
pub(crate) struct Flags {
    changes: bool,
    idempotent: bool,
}

impl Parse for Flags {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut flags = Self::default();
        for flag in Punctuated::<Ident, Token![,]>::parse_terminated(input)? {
            match flag.to_string().as_str() {
                "changes" => flags.changes = true,
                "idempotent" => flags.idempotent = true,
                _ => {
                    let expected = "expected `changes` or `idempotent`";
                    return Err(syn::Error::new(flag.span(), expected));
                }
            }
        }
        Ok(flags)
    }
}

/// The type that stands for the action of this function.
pub(crate) fn type_of(function: &Ident) -> Ident {
    format_ident!("__{}_action", function.unraw(), span = function.span())
}

/// Leaves the function as it is and puts a type beside it, which describes it.
pub(crate) fn expand(flags: &Flags, mut function: ItemFn) -> Result<TokenStream> {
    let needs = needs::take(&mut function.attrs)?;
    let identifier = &function.sig.ident;
    let name = identifier.unraw().to_string().replace('_', "-");
    let summary = documentation::summary(&function.attrs).ok_or_else(|| {
        let missing = "a documentation comment is missing: it becomes the action's summary";
        syn::Error::new(identifier.span(), missing)
    })?;
    let changes = flags.changes.then(|| quote!(.changes()));
    let idempotent = flags.idempotent.then(|| quote!(.idempotent()));
    let Signature {
        generics,
        settings,
        call,
    } = signature(&function)?;
    let (visibility, action) = (&function.vis, type_of(identifier));

    Ok(quote! {
        // An action that cannot fail still has the type of an action.
        #[allow(clippy::unnecessary_wraps)]
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility enum #action {}

        impl #generics ::sopwith::action::Define<#settings> for #action {
            fn define() -> ::sopwith::action::Action<#settings> {
                ::sopwith::action::Action::new(#name, #summary, #call)
                    #changes
                    #idempotent
                    #(#needs)*
            }
        }
    })
}

struct Signature {
    generics: Option<TokenStream>,
    settings: TokenStream,
    call: TokenStream,
}

fn signature(function: &ItemFn) -> Result<Signature> {
    let identifier = &function.sig.ident;
    let types = function
        .sig
        .inputs
        .iter()
        .map(referenced)
        .collect::<Result<Vec<_>>>()?;
    match types.as_slice() {
        [] => Ok(Signature {
            generics: Some(quote!(<Settings: 'static>)),
            settings: quote!(Settings),
            call: quote!(|_: &Settings, _: &::sopwith::action::NoInputs| #identifier()),
        }),
        [settings] => Ok(Signature {
            generics: None,
            settings: quote!(#settings),
            call: quote!(|settings: &#settings, _: &::sopwith::action::NoInputs| #identifier(settings)),
        }),
        [settings, _inputs] => Ok(Signature {
            generics: None,
            settings: quote!(#settings),
            call: quote!(#identifier),
        }),
        _ => Err(syn::Error::new_spanned(
            &function.sig.inputs,
            "an action takes the settings and, where it has any, the inputs",
        )),
    }
}

fn referenced(argument: &FnArg) -> Result<&Type> {
    match argument {
        FnArg::Typed(typed) => match &*typed.ty {
            Type::Reference(reference) if reference.mutability.is_none() => Ok(&reference.elem),
            other => Err(syn::Error::new_spanned(
                other,
                "expected a reference, such as `&Settings`",
            )),
        },
        FnArg::Receiver(receiver) => Err(syn::Error::new_spanned(receiver, "an action is a free function")),
    }
}
