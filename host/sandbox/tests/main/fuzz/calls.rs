//! Guests that call the host with whatever numbers come: places and lengths of texts and lists, handles, answers.

use crate::guests::Written;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Write as _;
use std::sync::Arc;

/// Functions of the host: interface, name, and the kinds of their numbers once they are lowered.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("journal", "redact", "i32 i32"),
    ("journal", "log", "i32 i32 i32 i32 i32 i32"),
    ("journal", "metric", "i32 i32 f64 i32 i32"),
    ("journal", "begin", "i32 i32 i32"),
    ("journal", "add-findings", "i32 i32 i32"),
    ("journal", "open-findings", "i32 i32 i32"),
    ("journal", "attach", "i32 i32 i32 i32 i32 i32 i32"),
    ("journal", "[method]step.progress", "i32 i64 i32 i64 i32 i32"),
    ("journal", "[method]step.finish", "i32 i32 i32 i32"),
    ("journal", "[resource-drop]step", "i32"),
    ("flow", "[static]pipe.from-bytes", "i32 i32 i32"),
    (
        "flow",
        "[static]pipe.from-tree",
        "i32 i32 i32 i32 i32 i32 i32 i32 i32",
    ),
    ("flow", "[method]pipe.compress", "i32 i32 i32 i32 i32"),
    ("flow", "[method]pipe.to-nothing", "i32 i32"),
    ("flow", "[resource-drop]pipe", "i32"),
];

/// Handles and small lengths, the end of the memory, and the ends of what a number can be.
const NUMBERS: &[i64] = &[
    0,
    1,
    2,
    3,
    4,
    16,
    256,
    512,
    1_024,
    65_528,
    65_535,
    65_536,
    1 << 24,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
    i64::MAX,
    i64::MIN,
];

/// One call, with more numbers than it takes.
type Call = (usize, Vec<i64>);

/// Plugins whose only action makes some calls and succeeds.
pub(super) fn guests() -> impl Strategy<Value = Arc<[u8]>> {
    let number = prop_oneof![4 => select(NUMBERS), 1 => any::<i64>()];
    let call = (0..FUNCTIONS.len(), vec(number, 9));
    vec(call, 1..12).prop_map(|calls| guest(&calls))
}

fn guest(calls: &[Call]) -> Arc<[u8]> {
    let (mut imports, mut run) = (String::new(), String::new());
    for (place, (interface, name, kinds)) in FUNCTIONS.iter().enumerate() {
        if calls.iter().any(|(called, _)| *called == place) {
            let from = format!("(import \"sopwith:plugin/{interface}@1.0.0\" \"{name}\"");
            let _ = writeln!(imports, "{from} (func $f{place} (param {kinds})))");
        }
    }
    for (place, numbers) in calls {
        let _ = write!(run, "(call $f{place}");
        for (kind, number) in FUNCTIONS[*place].2.split(' ').zip(numbers) {
            let _ = match kind {
                // A number of 32 bits is taken from the lower half.
                "i32" => write!(run, " (i32.const {:#x})", number.cast_unsigned() & 0xffff_ffff),
                kind => write!(run, " ({kind}.const {number})"),
            };
        }
        run.push_str(")\n");
    }
    let written = Written {
        imports: imports.leak(),
        run: run.leak(),
        ..Written::default()
    };
    written.bytes()
}
