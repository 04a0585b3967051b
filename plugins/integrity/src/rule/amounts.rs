//! Promises about money. Amounts are integers, such as cents; whatever else stands in their
//! place breaks the promise, since a sum of it would not be exact.

use super::Statement;
use crate::identifier::Identifier;

/// Entries whose lines have debits and credits of the same sum.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct Balanced {
    /// The table of the lines.
    table: Identifier,
    /// The column that says which entry a line belongs to.
    entry: Identifier,
    /// The column of the debits.
    debit: Identifier,
    /// The column of the credits.
    credit: Identifier,
}

/// Totals that are the sums of their lines.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct SumMatches {
    /// The table of the totals.
    table: Identifier,
    /// The column that its lines refer to.
    key: Identifier,
    /// The column of the totals.
    total: Identifier,
    /// What makes up the totals.
    lines: Lines,
}

/// The lines of totals.
#[sopwith::settings]
#[derive(Debug)]
struct Lines {
    /// The table of the lines.
    table: Identifier,
    /// The column that says which total a line belongs to.
    key: Identifier,
    /// The column of the amounts.
    amount: Identifier,
}

/// The entries that do not balance. A null amount is nothing; lines without an entry are one.
pub(super) fn balanced(rule: &Balanced) -> Statement {
    let Balanced {
        table,
        entry,
        debit,
        credit,
    } = rule;
    let group = entry.of("t");
    let (debits, credits) = (sum(&debit.of("t")), sum(&credit.of("t")));
    let inexact = format!(
        "{} OR {}",
        is_inexact(&debit.of("t")),
        is_inexact(&credit.of("t"))
    );
    format!(
        "SELECT {group} AS {entry}, {debits} AS {debit}, {credits} AS {credit}, \
         sum({inexact}) AS \"not_integers\" FROM {table} AS t \
         GROUP BY {group} HAVING {debits} <> {credits} OR sum({inexact}) > 0 ORDER BY {group}"
    )
    .into()
}

/// The totals that are not the sum of their lines. No lines sum up to nothing; a null total is
/// not even that.
pub(super) fn sum_matches(rule: &SumMatches) -> Statement {
    let SumMatches {
        table,
        key,
        total,
        lines,
    } = rule;
    let (group, total_of) = (key.of("t"), total.of("t"));
    let (amount, line_key) = (lines.amount.of("l"), lines.key.of("l"));
    let (amounts, inexact) = (sum(&amount), is_inexact(&amount));
    format!(
        "SELECT {group} AS {key}, {total_of} AS {total}, {amounts} AS \"sum\", \
         sum({inexact}) AS \"not_integers\" FROM {table} AS t LEFT JOIN {} AS l ON {line_key} = {group} \
         GROUP BY {group}, {total_of} HAVING typeof({total_of}) <> 'integer' OR {total_of} <> {amounts} \
         OR sum({inexact}) > 0 ORDER BY {group}",
        lines.table
    )
    .into()
}

fn sum(amount: &str) -> String {
    format!("coalesce(sum({amount}), 0)")
}

fn is_inexact(amount: &str) -> String {
    format!("typeof({amount}) NOT IN ('integer', 'null')")
}
