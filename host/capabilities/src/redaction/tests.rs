//! What is masked, and what is left.

use super::named::{FORMS_BYTES_MAX, VALUES_MAX};
use super::*;
use serde_json::json;

fn redactor(values: &[&[u8]]) -> Arc<Redactor> {
    let redactor = Redactor::default();
    for (number, value) in values.iter().enumerate() {
        redactor.learn(&format!("secret-{number}").parse().unwrap(), value);
    }
    Arc::new(redactor)
}

fn check(values: &[&str], text: &str, masked: &str) {
    let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
    assert_eq!(redactor(&values).mask(text), masked, "{text}");
}

#[test]
fn a_value_is_masked_however_it_is_written() {
    let value = "pa\"ss wörd/+&1";
    for text in [
        value,
        r#"pa\"ss wörd/+&1"#,
        r#"pa\"ss w\u00f6rd\/+&1"#,
        "pa%22ss%20w%C3%B6rd%2F%2B%261",
        "pa%22ss+w%c3%b6rd%2f%2b%261",
        "pa&quot;ss wörd/+&amp;1",
        "706122737320 77c3b672642f2b2631".replace(' ', "").as_str(),
        "cGEic3Mgd8O2cmQvKyYx",
    ] {
        check(&[value], &format!("<{text}>"), "<[redacted]>");
    }
}

#[test]
fn values_that_overlap_leave_no_rest() {
    check(
        &["password", "pass"],
        "my password, my pass",
        "my [redacted], my [redacted]",
    );
    check(&["abcdef", "defghi"], "<abcdefghi>", "<[redacted]>");
    check(&["abab"], "abababx", "[redacted]x");
}

#[test]
fn the_own_values_of_a_run_and_those_of_the_operator_are_masked_together() {
    let redaction = Redaction::new(redactor(&[b"operator"]));
    redaction.add("torso");
    assert_eq!(redaction.line("operatorso"), "[redacted]");
    assert_eq!(redaction.secrets.mask("torso"), "torso");
}

#[test]
fn json_stays_json_and_keeps_its_shape() {
    let redaction = Redaction::new(Arc::default());
    redaction.add("pass");
    redaction.add("pass\"word");
    assert_eq!(redaction.line("it is pass\"word"), "it is [redacted]");
    assert_eq!(redaction.text(r#"{"a":"pass\"word"}"#), r#"{"a":"[redacted]"}"#);
    assert_eq!(
        redaction.json(json!({"pass": ["my pass\"word", 7]})),
        json!({"[redacted]": ["my [redacted]", 7]})
    );
}

#[test]
fn a_value_that_is_no_text_is_masked_in_bytes_and_leaves_text_text() {
    let redactor = redactor(&[b"\xb6rd12"]);
    assert_eq!(redactor.mask("wörd123"), "w[redacted]3");
    assert_eq!(*redactor.mask_bytes(b"\xff\xb6rd12\xff"), *b"\xff[redacted]\xff");
}

#[test]
fn a_value_that_would_mask_every_text_is_not_masked() {
    check(&["abc"], "abc", "abc");
    check(&["abcd"], "abcd", "[redacted]");
}

#[test]
fn the_newest_values_of_a_secret_are_masked_and_those_in_use_stay() {
    let redactor = Redactor::default();
    let secret = "token".parse().unwrap();
    let value = |number: usize| format!("value-{number:04}");
    for number in 0..100 {
        redactor.learn(&secret, b"in-use-always");
        redactor.learn(&secret, value(number).as_bytes());
    }
    assert_eq!(redactor.mask("in-use-always"), MASK);
    assert_eq!(redactor.mask(&value(99)), MASK);
    assert_eq!(redactor.mask(&value(0)), value(0));
}

#[test]
fn long_values_of_a_secret_are_few_and_the_last_two_stay() {
    let redactor = Redactor::default();
    let secret = "key".parse().unwrap();
    let value = |number: usize| format!("{number:04}").repeat(16 << 10);
    for number in 0..6 {
        redactor.learn(&secret, value(number).as_bytes());
    }
    assert_eq!(redactor.mask(&value(5)), MASK);
    assert_eq!(redactor.mask(&value(4)), MASK);
    assert_eq!(redactor.mask(&value(0)), value(0));
}

#[test]
fn names_in_what_the_host_answers_stay() {
    let redactor = redactor(&[b"state"]);
    let answer = json!({ "state": "the state" });
    let masked = json!({ "state": "the [redacted]" });
    assert_eq!(
        redactor.mask_json(answer.to_string().into_bytes()),
        masked.to_string().into_bytes()
    );
    assert_eq!(redactor.mask_value(answer), masked);
}

#[test]
fn too_many_values_of_a_plugin_mask_everything_in_its_run_alone() {
    let secrets = redactor(&[b"operator"]);
    let redaction = Redaction::new(Arc::clone(&secrets));
    for number in 0..VALUES_MAX {
        redaction.add(&format!("secret-{number}-"));
    }
    assert_eq!(redaction.line("anything"), "anything");
    redaction.add("one more");
    assert_eq!(redaction.line("anything"), MASK);
    assert_eq!(Redaction::new(secrets).line("anything"), "anything");

    let redaction = Redaction::new(Arc::default());
    redaction.add(&"x".repeat(FORMS_BYTES_MAX + 1));
    assert_eq!(redaction.line("anything"), MASK);
}

#[test]
fn a_beginning_never_ends_within_a_value() {
    let mask = Redaction::new(redactor(&[b"0123456789abcdef"])).mask();
    let whole = b"<0123456789abcdef>".to_vec();
    for keep in 0..=whole.len() {
        let read = whole[..(keep + mask.reach()).min(whole.len())].to_vec();
        let kept = mask.beginning(read, keep);
        assert!(b"<[redacted]>".starts_with(&kept), "{keep}: {kept:?}");
        assert!(kept.len() <= keep);
    }
}

#[test]
fn the_start_of_a_text_never_ends_within_a_value() {
    let mask = Redaction::new(redactor(&[b"0123456789abcdef"])).mask();
    let whole = "ö 0123456789abcdef0123456789abcdef0123456789abcdef ö".to_owned() + &"x".repeat(1_000);
    for keep in 0..=whole.len() + 1 {
        let start = mask.start(&whole, keep);
        assert!(start.len() <= keep && !start.contains("01"), "{keep}: {start}");
    }
    assert_eq!(mask.start("plain", 3), "pla");
    assert_eq!(mask.start(&whole, 30), "ö [redacted]");
}

#[test]
fn pieces_are_covered_wherever_they_are_cut() {
    let mask = Redaction::new(redactor(&[b"0123456789abcdef", "clé \"x\"".as_bytes()])).mask();
    let text = "a 0123456789abcdef\n eDAxMjM0NTY3ODlhYmNkZWZ5 cl\\u00e9 \\\"x\\\" 012345678 clé \"x\"";
    let mut whole = text.as_bytes().to_vec();
    mask.cover(&mut whole);
    let covered = String::from_utf8(whole.clone()).unwrap();
    assert_eq!(
        covered,
        "a ****************\n e**********************5 ************** 012345678 ********"
    );
    for size in 1..=text.len() {
        let mut stream = mask.stream();
        let mut given: Vec<u8> = text
            .as_bytes()
            .chunks(size)
            .flat_map(|piece| stream.next(piece))
            .collect();
        given.extend(stream.end());
        assert_eq!(String::from_utf8_lossy(&given), covered, "{size}");
    }
}

#[test]
fn what_cannot_be_the_beginning_of_a_value_is_not_held_back() {
    let mask = Redaction::new(redactor(&[b"0123456789abcdef"])).mask();
    assert_eq!(
        mask.stream().next(b"data: {}\n\n").len(),
        "data: {}\n\n".len() - 1
    );
}

#[test]
fn a_window_is_covered_like_the_whole() {
    let mask = Redaction::new(redactor(&[b"0123456789abcdef"])).mask();
    let whole = b"before 0123456789abcdef behind MDEyMzQ1Njc4OWFiY2RlZg== end";
    let mut covered = whole.to_vec();
    mask.cover(&mut covered);
    for at in 0..whole.len() {
        let start = at.saturating_sub(mask.reach());
        let end = (at + 1 + mask.reach()).min(whole.len());
        let mut window = whole[start..end].to_vec();
        mask.cover(&mut window);
        assert_eq!(window[at - start], covered[at], "{at}");
    }
}

#[test]
fn json_text_stays_json_where_a_value_begins_within_an_escape() {
    let redactor = redactor(&[b"nabc"]);
    let text = json!({ "a": "\nabc", "b": "nabc" }).to_string();
    let masked = redactor.mask_json(text.into_bytes());
    let masked: Value = serde_json::from_slice(&masked).unwrap();
    assert_eq!(masked, json!({ "a": "\nabc", "b": "[redacted]" }));
}
