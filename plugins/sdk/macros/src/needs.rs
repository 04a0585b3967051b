//! The permissions that an action asks for.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitStr, Result, Token, parenthesized};

/// One `#[needs(KIND(ACCESS), from = "…", reason = "…", optional)]`.
pub(crate) struct Needs {
    kind: Ident,
    access: Ident,
    from: LitStr,
    reason: LitStr,
    required: bool,
}

enum Detail {
    From(LitStr),
    Reason(LitStr),
    Optional,
}

/// Takes the permissions out of the attributes of a function.
pub(crate) fn take(attributes: &mut Vec<Attribute>) -> Result<Vec<Needs>> {
    let (needs, others) = std::mem::take(attributes)
        .into_iter()
        .partition(|attribute| attribute.path().is_ident("needs"));
    *attributes = others;
    let needs: Vec<Attribute> = needs;
    needs.iter().map(Attribute::parse_args).collect()
}

impl Parse for Needs {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let kind: Ident = input.parse()?;
        let inner;
        parenthesized!(inner in input);
        // `use` is a keyword.
        let access = inner.call(Ident::parse_any)?;
        check(&kind, &access)?;
        let _: Option<Token![,]> = input.parse()?;

        let (mut from, mut reason, mut required) = (None, None, true);
        for detail in Punctuated::<Detail, Token![,]>::parse_terminated(input)? {
            match detail {
                Detail::From(path) => from = Some(path),
                Detail::Reason(text) => reason = Some(text),
                Detail::Optional => required = false,
            }
        }
        let missing = |name| syn::Error::new(kind.span(), format!("`{name} = \"…\"` is missing"));
        let from = from.ok_or_else(|| missing("from"))?;
        let reason = reason.ok_or_else(|| missing("reason"))?;
        Ok(Self {
            kind,
            access,
            from,
            reason,
            required,
        })
    }
}

impl Parse for Detail {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        if name == "optional" {
            return Ok(Self::Optional);
        }
        let _: Token![=] = input.parse()?;
        let text: LitStr = input.parse()?;
        match name.to_string().as_str() {
            "from" if text.value().starts_with('$') => Ok(Self::From(text)),
            "from" => Err(syn::Error::new(text.span(), "a JSONPath begins with `$`")),
            "reason" => Ok(Self::Reason(text)),
            _ => Err(syn::Error::new(
                name.span(),
                "expected `from`, `reason` or `optional`",
            )),
        }
    }
}

fn check(kind: &Ident, access: &Ident) -> Result<()> {
    let asked = access.to_string();
    let (possible, expected) = match kind.to_string().as_str() {
        "databases" => (
            matches!(asked.as_str(), "read" | "write" | "replace"),
            "expected `read`, `write` or `replace`",
        ),
        "directories" => (
            matches!(asked.as_str(), "read" | "write"),
            "expected `read` or `write`",
        ),
        "network" => (
            asked.bytes().all(|byte| byte.is_ascii_uppercase()),
            "expected a method of HTTP, such as `GET`",
        ),
        "commands" => (asked == "run", "expected `run`"),
        "procedures" => (asked == "call", "expected `call`"),
        "secrets" => (
            matches!(asked.as_str(), "use" | "insert" | "reveal"),
            "expected `use`, `insert` or `reveal`",
        ),
        _ => {
            let expected =
                "expected `databases`, `directories`, `network`, `commands`, `secrets` or `procedures`";
            return Err(syn::Error::new(kind.span(), expected));
        }
    };
    possible
        .then_some(())
        .ok_or_else(|| syn::Error::new(access.span(), expected))
}

impl ToTokens for Needs {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            kind,
            access,
            from,
            reason,
            required,
        } = self;
        let (kind, access) = (kind.to_string(), access.to_string());
        tokens.extend(quote! {
            .needs(::sopwith::manifest::Capability {
                kind: #kind,
                access: #access,
                from: #from,
                required: #required,
                reason: #reason,
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Needs;

    fn check(needs: &str, error: Option<&str>) {
        let parsed = syn::parse_str::<Needs>(needs);
        assert_eq!(
            parsed.err().map(|error| error.to_string()).as_deref(),
            error,
            "{needs}"
        );
    }

    #[test]
    fn permissions_are_checked_where_they_are_written() {
        check(
            r#"databases(read), from = "$.source", reason = "copies it""#,
            None,
        );
        check(
            r#"network(GET), from = "$.url", reason = "asks for it", optional"#,
            None,
        );
        check(
            r#"commands(run), from = "$.commands[*]", reason = "restarts it""#,
            None,
        );
        check(
            r#"commands(start), from = "$.commands[*]", reason = "starts it""#,
            Some("expected `run`"),
        );
        for access in ["use", "insert", "reveal"] {
            let needs = format!(r#"secrets({access}), from = "$.secret", reason = "sends it""#);
            check(&needs, None);
        }
        check(
            r#"databases(delete), from = "$.source", reason = "copies it""#,
            Some("expected `read`, `write` or `replace`"),
        );
        check(
            r#"network(get), from = "$.url", reason = "asks for it""#,
            Some("expected a method of HTTP, such as `GET`"),
        );
        check(
            r#"sockets(read), from = "$.url", reason = "asks for it""#,
            Some("expected `databases`, `directories`, `network`, `commands`, `secrets` or `procedures`"),
        );
        check(
            r#"network(GET), from = "url", reason = "asks""#,
            Some("a JSONPath begins with `$`"),
        );
        check(
            r#"network(GET), from = "$.url""#,
            Some("`reason = \"…\"` is missing"),
        );
    }
}
