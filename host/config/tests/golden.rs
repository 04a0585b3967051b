//! Each kind of invalid configuration has its messages beside it.
//!
//! `UPDATE_GOLDEN=1` writes them anew.

use crate::support::{ManifestLoader, standard, workshop};
use sopwith_config::{has_errors, load};
use std::fs;
use std::path::{Path, PathBuf};

#[tokio::test]
async fn every_invalid_configuration_is_told_as_expected() {
    let mut failures = Vec::new();
    let mut cases: Vec<PathBuf> = fs::read_dir("tests/invalid")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 20);
    for case in &cases {
        let said = said(case).await;
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).ok().as_ref() != Some(&said) {
            failures.push(format!("{}:\n{said}", case.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

async fn said(case: &Path) -> String {
    let (loader, standard) = (ManifestLoader::default(), standard());
    let result = load(case, workshop(&loader, &standard), None).await;
    assert_eq!(
        result.generation.is_none(),
        has_errors(&result.diagnostics),
        "{}",
        case.display()
    );
    assert!(
        !result.diagnostics.is_empty(),
        "{} has nothing wrong in it",
        case.display()
    );
    let said: Vec<String> = result.diagnostics.iter().map(|one| format!("{one}\n")).collect();
    said.join("\n")
}
