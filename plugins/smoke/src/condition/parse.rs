//! Reads conditions.

mod expected;
mod look;

use super::operator::Operator;
use super::text::Part;
use super::{Condition, Fault, Side};

/// Deeper than anybody writes; paths are read by recursion, and a plugin's stack is small.
const DEPTH_MAX: usize = 16;

/// Reads one condition: a look at the answer, an operator and what is expected.
pub(super) fn condition(text: &str) -> Result<Condition, Fault> {
    let whole = Part::whole(text);
    if whole.depth() > DEPTH_MAX {
        return Err(whole.fault(format!(
            "brackets stand in one another no deeper than {DEPTH_MAX}"
        )));
    }
    let (left, operator, right) = sides(whole)?;
    let look = look::read(left)?;
    let expected = expected::read(right, look.kind(), operator)?;
    Ok(Condition {
        text: text.to_owned(),
        left: Side {
            written: left.text.to_owned(),
            meaning: look,
        },
        operator,
        right: Side {
            written: right.text.to_owned(),
            meaning: expected,
        },
    })
}

fn sides(whole: Part<'_>) -> Result<(Part<'_>, Operator, Part<'_>), Fault> {
    let at = whole.find_outside(|text| text.starts_with(['=', '!', '<', '>']));
    let (left, rest) = whole.split_at(at.unwrap_or(whole.text.len()));
    let operator = Operator::beginning(rest.text)
        .ok_or_else(|| rest.fault("expected one of `==`, `!=`, `<`, `<=`, `>` and `>=`"))?;
    let (_, right) = rest.split_at(operator.as_str().len());
    Ok((left.trim(), operator, right.trim()))
}
