//! Options of calls: names with values, where a name that nobody knows is an error.

use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Pairs};
use std::str::FromStr;
use std::time::Duration;

/// The values of these options, in the order of `known`.
pub(crate) fn values<'a, const N: usize>(
    options: &'a Pairs,
    known: [&str; N],
) -> Answer<[Option<&'a str>; N]> {
    let mut values = [None; N];
    for (name, value) in options {
        let Some(place) = known.iter().position(|known| known == name) else {
            return Err(Failure::invalid(format!("there is no option `{name}`"))
                .hint(format!("options are: {}", known.join(", "))));
        };
        values[place] = Some(value.as_str());
    }
    Ok(values)
}

/// Reads the value of an option.
pub(crate) fn parse<T: FromStr>(name: &str, value: Option<&str>) -> Answer<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    match value.parse() {
        Ok(parsed) => Ok(Some(parsed)),
        Err(_) => Err(Failure::invalid(format!(
            "`{value}` is no value of the option `{name}`"
        ))),
    }
}

/// The one option of statements.
pub(crate) fn statement_timeout(options: &Pairs) -> Answer<Option<Duration>> {
    const NAME: &str = "statement-timeout-ms";
    let [value] = values(options, [NAME])?;
    Ok(parse(NAME, value)?.map(Duration::from_millis))
}
