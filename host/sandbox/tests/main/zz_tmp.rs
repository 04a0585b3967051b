use crate::guests::Written;
use crate::stage::{POOLING, sandbox};
use sopwith_core::port::PluginLoader as _;
use std::fmt::Write as _;

#[tokio::test]
async fn compile_bombs() {
    let mut cases: Vec<(String, String, String)> = Vec::new();
    // long chain
    let mut run = String::new();
    for i in 0..300_000 { let _ = write!(run, "(local.set $a (i64.add (i64.mul (local.get $a) (i64.const {i})) (local.get $b)))"); }
    cases.push(("chain".into(), String::new(), format!("(local $a i64) (local $b i64) {run} (drop (i32.wrap_i64 (local.get $a)))")));
    // many live locals across many blocks
    let n = 2_000;
    let mut locals = String::new(); let mut body = String::new();
    for i in 0..n { let _ = write!(locals, "(local $l{i} i64)"); }
    for j in 0..20 { for i in 0..n { let _ = write!(body, "(local.set $l{i} (i64.xor (local.get $l{}) (i64.load (i32.const {}))))", (i*7+j)%n, i*8); } let _ = write!(body, "(if (i32.load (i32.const {j})) (then (call $f)))"); }
    for i in 0..n { let _ = write!(body, "(i64.store (i32.const {}) (local.get $l{i}))", i*8); }
    cases.push(("live".into(), "(func $f)".into(), format!("{locals} {body}")));
    // nested blocks with br_table
    let depth = 5_000; 
    let mut s = String::new();
    for _ in 0..depth { s.push_str("(block "); }
    s.push_str("(br_table "); for i in 0..depth { let _ = write!(s, "{i} "); } s.push_str("(i32.load (i32.const 0)))");
    for _ in 0..depth { s.push_str(") (call $f)"); }
    cases.push(("table".into(), "(func $f)".into(), s));
    // many br_tables
    let mut s = String::new();
    for _ in 0..100 { s.push_str("(block "); }
    for _ in 0..3000 { s.push_str("(if (i32.load (i32.const 0)) (then (br_table "); for i in 0..100 { let _ = write!(s, "{i} "); } s.push_str("(i32.load (i32.const 4)))))"); }
    for _ in 0..100 { s.push(')'); }
    cases.push(("tables".into(), String::new(), s));
    // loops with phis
    let n=300;
    let mut locals = String::new(); for i in 0..n { let _ = write!(locals, "(local $l{i} i64)"); }
    let mut s = String::new();
    for _ in 0..300 { s.push_str("(loop "); for i in 0..n { let _ = write!(s, "(local.set $l{i} (i64.add (local.get $l{}) (i64.const 1)))", (i+1)%n); } }
    for i in 0..300 { let _ = write!(s, "(br_if 0 (i32.load (i32.const {i}))))"); }
    cases.push(("loops".into(), String::new(), format!("{locals} {s}")));
    for (name, fields, run) in cases {
        let written = Written { fields: fields.leak(), run: run.leak(), ..Written::default() };
        let bytes = written.bytes();
        let began = tokio::time::Instant::now();
        let loaded = sandbox(POOLING).load(bytes.clone()).await;
        println!("{name}: {} KiB {:?} {:?}", bytes.len() >> 10, began.elapsed(), loaded.err().map(|e| e.message.chars().take(100).collect::<String>()));
    }
}
