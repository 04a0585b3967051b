//! Checks the paths by which a manifest says where in the settings the names of resources stand.
//!
//! A path is a program, too: with filters in filters, lists of selectors and steps of any depth one
//! line finds the same name a billion times. Where a name stands is said without all that.

/// A path with the names of some tables is far shorter.
const PATH_BYTES_MAX: usize = 256;

/// Selectors beside the first at their place, all places together. Each doubles at most what is found.
const SELECTORS_MORE_MAX: usize = 6;

/// Fails for a path that could find more places than there are values.
pub(crate) fn check(path: &str) -> Result<(), String> {
    if path.len() > PATH_BYTES_MAX {
        return Err(format!(
            "a path has {} bytes, and may have {PATH_BYTES_MAX}",
            path.len()
        ));
    }
    let outside = without_names(path);
    let commas = outside.matches(',').count();
    let (filters, depths) = (outside.matches('?').count(), outside.matches("..").count());
    let refused = [
        (outside.contains('('), "a function or brackets in a filter"),
        (
            commas > SELECTORS_MORE_MAX,
            "too many selectors beside each other",
        ),
        (filters > 1, "more than one filter"),
        (depths > 1, "more than one step of any depth"),
        (filters + depths > 1, "a filter and a step of any depth"),
    ];
    match refused.iter().find(|(has, _)| *has) {
        Some((_, what)) => Err(format!(
            "the path `{path}` has {what}, which this host does not follow"
        )),
        None => Ok(()),
    }
}

/// The path without what stands in quotes.
fn without_names(path: &str) -> String {
    let mut outside = String::new();
    let mut quote = None;
    let mut characters = path.chars();
    while let Some(c) = characters.next() {
        match quote {
            Some(_) if c == '\\' => drop(characters.next()),
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None => outside.push(c),
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    #[test]
    fn path_finds_each_place_once() {
        let check = |path: &str, expected: &str| {
            let said = super::check(path).err().unwrap_or_else(|| "fine".to_owned());
            assert!(said.contains(expected), "{path}: {said}");
        };
        for path in [
            "$.checks[*].url",
            "$.checks[?@.method == 'GET, (or)'].url",
            "$..url",
            "$['a, b?..'].x",
            "$.checks[*]['url', 'body', 'json']",
            r#"$["\"?"][0]"#,
        ] {
            check(path, "fine");
        }
        check("$..*..*", "more than one step of any depth");
        check(&"[*,*]".repeat(7).replacen('[', "$[", 1), "too many selectors");
        check("$[?@[?@.a == 1]]", "more than one filter");
        check("$[?@..* == 1]", "a filter and a step");
        check("$[?search(@.a, 'x')]", "a function");
        check(&"$".repeat(257), "has 257 bytes");
    }
}
