//! What users read, compared with files that hold it.

use crate::place::Place;
use std::path::Path;

/// Asserts that a text is that of `golden/NAME.txt`, with the place's own path taken out of it.
///
/// `UPDATE_GOLDEN=1` writes the file anew.
pub(crate) fn assert_golden(place: &Place, name: &str, text: &str) {
    let text = text.replace(&place.path("").display().to_string(), "PLACE/");
    let text = format!("{}\n", text.trim_end());
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/acceptance/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(&file, text).expect("the golden file");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == text,
        "{} says\n{expected}\nand it was\n{text}",
        file.display()
    );
}
