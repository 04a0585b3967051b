//! A whole plugin out of its settings and its actions.

use crate::action;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Path, Result, Token, Type};

/// `Settings: one, module::another`.
pub(crate) struct Plugin {
    settings: Type,
    actions: Vec<Path>,
}

impl Parse for Plugin {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let settings = input.parse()?;
        let _: Token![:] = input.parse()?;
        let actions = Punctuated::<Path, Token![,]>::parse_terminated(input)?;
        if actions.is_empty() {
            return Err(input.error("a plugin has at least one action"));
        }
        Ok(Self {
            settings,
            actions: actions.into_iter().map(described).collect(),
        })
    }
}

fn described(mut function: Path) -> Path {
    if let Some(last) = function.segments.last_mut() {
        last.ident = action::type_of(&last.ident);
    }
    function
}

pub(crate) fn expand(plugin: Plugin) -> TokenStream {
    let Plugin { settings, actions } = plugin;
    quote! {
        enum Component {}

        impl ::sopwith::Plugin for Component {
            type Settings = #settings;
            const NAME: &'static str = ::std::env!("CARGO_PKG_NAME");
            const VERSION: &'static str = ::std::env!("CARGO_PKG_VERSION");

            fn actions() -> ::std::vec::Vec<::sopwith::action::Action<#settings>> {
                ::std::vec![#(<#actions as ::sopwith::action::Define<#settings>>::define()),*]
            }
        }

        ::sopwith::export!(Component);
    }
}
