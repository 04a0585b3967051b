//! Documentation comments as texts for people.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The first paragraph on one line, or nothing where there is none.
pub(crate) fn summary(attributes: &[Attribute]) -> Option<String> {
    let lines = attributes.iter().filter_map(line);
    let paragraph = lines
        .skip_while(String::is_empty)
        .take_while(|line| !line.is_empty());
    let summary = paragraph.collect::<Vec<_>>().join(" ");
    (!summary.is_empty()).then_some(summary)
}

fn line(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    }
}
