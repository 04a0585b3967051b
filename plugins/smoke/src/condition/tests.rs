//! Conditions against an answer, by table, and their reader against anything at all.

use super::Condition;
use crate::answer::Answer;
use crate::samples;
use proptest::prelude::*;
use sopwith::probe::Response;

const BODY: &str = r#"{
    "status": "ok", "code": 200, "text_code": "200", "ratio": 1.0, "on": true, "nothing": null,
    "large": 9007199254740993,
    "tenant": {"id": "default", "a key": "é", "limit": 200},
    "items": [{"id": 1, "state": "up"}, {"id": 2, "state": "up"}], "empty": []
}"#;

/// Each line is `yes` or `no`, a condition, `->`, and what is found on the left.
fn check(response: &Response, table: &str) {
    let answer = Answer::new(response, samples::now());
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (condition, found) = line.split_once(" ->").expect("a line has an arrow");
        let (holds, condition) = condition.split_once(' ').expect("a line begins with a word");
        let condition = condition.trim();
        let parsed: Condition = condition
            .parse()
            .unwrap_or_else(|fault| panic!("{line}: {fault}"));
        let evaluation = parsed.evaluate(&answer);
        assert_eq!(evaluation.holds, holds == "yes", "{line}: {}", evaluation.shown);
        let (left, rest) = (&parsed.left.written, &condition[parsed.left.written.len()..]);
        let shown = format!("{left} ({}){rest}", found.trim());
        assert_eq!(evaluation.shown, shown, "{line}");
    }
}

#[test]
fn status_header_and_times_are_looked_at() {
    let table = r#"
        yes [STATUS] == 200                               -> 200
        no  [STATUS] != 200                               -> 200
        yes [STATUS] < 300                                -> 200
        yes [STATUS] <= 200                               -> 200
        no  [STATUS] > 200                                -> 200
        yes [STATUS] >= 200                               -> 200
        yes [STATUS] == any(200, 204)                     -> 200
        no  [STATUS] != any(200, 204)                     -> 200
        yes [RESPONSE_TIME] < 300ms                       -> 12ms
        no  [RESPONSE_TIME] < 12ms                        -> 12ms
        yes [CERTIFICATE_EXPIRATION] > 14d                -> 20d
        no  [CERTIFICATE_EXPIRATION] > 3 weeks            -> 20d
        yes [HEADER].x-version == 7                       -> 7
        yes [HEADER].vary == accept, origin               -> accept, origin
        yes [HEADER].vary == any(x, "accept, origin")   -> accept, origin
        yes [HEADER].content-type == pat(application/json*) -> application/json; charset=utf-8
        no  [HEADER].content-type == pat(*/xml*)          -> application/json; charset=utf-8
        no  [HEADER].etag != x                            -> missing
        yes has([HEADER].Content-Type) == true            -> true
        yes has([HEADER].etag) == false                   -> false
        yes len([HEADER].x-version) == 1                  -> 1
    "#;
    check(&samples::response(200, BODY), table);
}

#[test]
fn bodies_of_json_are_looked_into() {
    let table = r#"
        yes [BODY].status == ok                      -> "ok"
        yes [BODY].status == 'ok'                    -> "ok"
        no  [BODY].status == pat(o)                  -> "ok"
        yes [BODY].status == any(pat(o*), down)      -> "ok"
        yes [BODY].tenant.id == default              -> "default"
        yes [BODY].tenant['a key'] == "\u00e9"       -> "é"
        yes [BODY].items[1].id == 2                  -> 2
        yes [BODY].items[?@.id == 2].id > 1          -> 2
        yes [BODY].items[*].state == up              -> "up", "up"
        no  [BODY].items[*].id == 1                  -> 1, 2
        no  [BODY].empty[*] != 1                     -> missing
        yes len([BODY].items) > 0                    -> 2
        yes len([BODY].items[?@.id == 1]) == 1       -> 1
        yes len([BODY].items[?length(@.state) == 2]) == 2 -> 2
        yes len([BODY].empty[*]) == 0                -> 0
        yes len([BODY].tenant.id) == 7               -> 7
        no  len([BODY].code) == 3                    -> 200 has no length
        no  len([BODY].gone) == 0                    -> missing
        yes has([BODY].error) == false               -> false
        no  has([BODY].items) == false               -> true
    "#;
    check(&samples::response(200, BODY), table);
}

#[test]
fn types_are_strict() {
    let table = r#"
        yes [BODY].code == 200                 -> 200
        no  [BODY].text_code == 200            -> "200"
        yes [BODY].text_code == "200"          -> "200"
        no  [BODY].code == "200"               -> 200
        no  [BODY].text_code > 100             -> "200"
        no  [BODY].code == pat(2*)             -> 200
        yes [BODY].ratio == 1                  -> 1.0
        yes [BODY].large > 9007199254740992    -> 9007199254740993
        yes [BODY].on == true                  -> true
        no  [BODY].on == "true"                -> true
        yes [BODY].nothing == null             -> null
        no  [BODY].missing == null             -> missing
        no  [BODY].missing != 5                -> missing
    "#;
    check(&samples::response(200, BODY), table);
}

#[test]
fn right_side_can_be_found_in_the_answer_too() {
    let response = samples::response(200, BODY);
    let check = |text: &str, holds: bool, shown: &str| {
        let condition: Condition = text.parse().expect("it is a condition");
        let evaluation = condition.evaluate(&Answer::new(&response, samples::now()));
        assert_eq!((evaluation.holds, evaluation.shown.as_str()), (holds, shown));
    };
    let shown = "[BODY].code (200) == [BODY].tenant.limit (200)";
    check("[BODY].code == [BODY].tenant.limit", true, shown);
    check(
        "[BODY].code==[STATUS]",
        true,
        "[BODY].code (200) == [STATUS] (200)",
    );
    let shown = "len([BODY].items) (2) == len([BODY].items[*]) (2)";
    check("len([BODY].items) == len([BODY].items[*])", true, shown);
    let shown = "[BODY].code (200) != [BODY].gone (missing)";
    check("[BODY].code != [BODY].gone", false, shown);
}

#[test]
fn body_that_cannot_be_read_fails_every_condition_on_it() {
    let mut page = samples::response(200, "pong");
    let table = "
        yes [BODY] == pong                 -> pong
        yes [BODY] == pat(p*g)             -> pong
        yes len([BODY]) == 4               -> 4
        no  [BODY].status == ok            -> the body is not JSON: expected value at line 1 column 1
        no  has([BODY].error) == false     -> the body is not JSON: expected value at line 1 column 1
    ";
    check(&page, table);
    page.body_truncated = true;
    check(&page, "no [BODY] == pong -> the body has more than 4 bytes");
    page.certificate = None;
    check(
        &page,
        "no [CERTIFICATE_EXPIRATION] > 14d -> the server showed no certificate",
    );
    page.body = Vec::new();
    page.body_truncated = false;
    check(&page, r#"yes [BODY] == "" ->"#);
}

/// Each line is the character at which a condition is wrong, the condition, `->`, and what the
/// message says of it.
fn check_faults(table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (condition, message) = line.split_once(" ->").expect("a line has an arrow");
        let (position, condition) = condition.split_once(' ').expect("a line begins with a place");
        let fault = condition.trim().parse::<Condition>().expect_err(line);
        assert_eq!(fault.position.to_string(), position, "{line}: {fault}");
        assert!(fault.message.contains(message.trim()), "{line}: {fault}");
    }
}

#[test]
fn faults_name_their_place() {
    check_faults(
        r#"
        9  [STATUS]                      -> expected one of `==`
        12 [STATUS] ==                   -> expected a value
        13 [STATUS] == ok                -> expected a number
        13 [STATUS] == "200"             -> expected a number
        13 [STATUS] == pat(2*)           -> `pat` is for texts
        9  [STATUS].code == 200          -> nothing can follow `[STATUS]`
        1  [STATE] == 200                -> expected `[STATUS]`
        1  status == 200                 -> expected `[STATUS]`
        9  [HEADER] == x                 -> expected the name of a header
        19 [RESPONSE_TIME] < 300         -> a length of time
        15 [BODY].é[ == 1                -> expected one of `==`
        9  [BODY].é[!] == 1              -> this is no JSONPath
        16 [BODY].name == "x             -> these quotes have no end
        15 [BODY].name < abc             -> compares numbers and lengths of time
        12 [BODY].n < any(1, 2)          -> compares with one value
        19 [BODY].n == any(1, )          -> expected a value
        13 [BODY].n == [BODY].m[*]       -> this path leads to several
        13 [STATUS] == [RESPONSE_TIME]   -> expected a number
        5  has([STATUS]) == true         -> `has` takes
        5  len([STATUS]) == 3            -> `len` takes
        "#,
    );
    let deep = format!("1 [BODY]{} == 1 -> no deeper than 16", "[?(".repeat(9));
    check_faults(&deep);
}

const PIECES: &[&str] = &[
    "[STATUS]",
    "[BODY]",
    "[HEADER]",
    "[RESPONSE_TIME]",
    ".a",
    "[0]",
    "[?@.b == 'c']",
    "len(",
    "has(",
    "pat(",
    "any(",
    ")",
    "==",
    "!=",
    "<",
    ">=",
    " ",
    ",",
    "'",
    "\"",
    "\\",
    "5",
    "300ms",
    "é",
    "*",
    "$",
    "[",
    "]",
];

/// Texts that get further into the reader than mere noise does.
fn almost_conditions() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES).prop_map(str::to_owned), 0..12)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reader_survives_any_text(text in any::<String>()) {
        let _ = text.parse::<Condition>();
    }

    #[test]
    fn reader_survives_what_is_almost_a_condition(text in almost_conditions()) {
        match text.parse::<Condition>() {
            Ok(condition) => {
                condition.evaluate(&Answer::new(&samples::response(200, BODY), samples::now()));
            }
            Err(fault) => prop_assert!(fault.position <= text.chars().count() + 1, "{fault}"),
        }
    }
}
