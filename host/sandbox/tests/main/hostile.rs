//! Hostile guests, each of a few lines.

use super::guests::Written;

pub(crate) const LOOP: &str = "(loop $again (br $again))";

/// Takes memory in several memories at once.
pub(crate) fn memory_bomb() -> Written {
    Written {
        fields: "(memory $a 1) (memory $b 1) (memory $c 1)",
        run: "(loop $again
            (drop (memory.grow $a (i32.const 16)))
            (drop (memory.grow $b (i32.const 16)))
            (drop (memory.grow $c (i32.const 16)))
            (br $again))",
        ..Written::default()
    }
}

/// Has more memory than it may, before its first instruction.
pub(crate) fn memory_at_once() -> Written {
    Written {
        fields: "(memory $a 40000)",
        ..Written::default()
    }
}

/// Fills tables.
pub(crate) fn table_bomb() -> Written {
    Written {
        fields: "(table $a 1 funcref) (table $b 1 funcref)",
        run: "(loop $again
            (drop (table.grow $a (ref.null func) (i32.const 1000)))
            (drop (table.grow $b (ref.null func) (i32.const 1000)))
            (br $again))",
        ..Written::default()
    }
}

/// Asks for a table that is larger than any may be, and traps unless that is refused.
pub(crate) fn table_too_large() -> Written {
    Written {
        fields: "(table $a 1 funcref)",
        run: "(if (i32.ne (table.grow $a (ref.null func) (i32.const 100000)) (i32.const -1))
            (then unreachable))",
        ..Written::default()
    }
}

/// Makes pipes and drops none.
pub(crate) fn handle_bomb() -> Written {
    Written {
        imports: r#"(import "sopwith:plugin/flow@1.0.0" "[static]pipe.from-bytes"
            (func $pipe (param i32 i32 i32)))"#,
        run: "(loop $again (call $pipe (i32.const 0) (i32.const 0) (i32.const 256)) (br $again))",
        ..Written::default()
    }
}

const PIPES: &str = r#"(import "sopwith:plugin/flow@1.0.0" "[static]pipe.from-bytes"
        (func $pipe (param i32 i32 i32)))
    (import "sopwith:plugin/flow@1.0.0" "[resource-drop]pipe" (func $drop (param i32)))"#;

/// Has the host keep 256 KiB in each of 100 pipes, and traps once one of them is refused.
pub(crate) fn pipe_bomb() -> Written {
    Written {
        imports: PIPES,
        run: "(local $left i32) (drop (memory.grow (i32.const 8))) (local.set $left (i32.const 100))
            (loop $again
                (call $pipe (i32.const 0) (i32.const 262144) (i32.const 256))
                (if (i32.load8_u (i32.const 256)) (then unreachable))
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))",
        ..Written::default()
    }
}

/// The same, but each pipe is dropped before the next one.
pub(crate) fn pipes_in_turn() -> Written {
    Written {
        imports: PIPES,
        run: "(local $left i32) (drop (memory.grow (i32.const 8))) (local.set $left (i32.const 100))
            (loop $again
                (call $pipe (i32.const 0) (i32.const 262144) (i32.const 256))
                (if (i32.load8_u (i32.const 256)) (then unreachable))
                (call $drop (i32.load (i32.const 260)))
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))",
        ..Written::default()
    }
}

/// Drops a pipe, and then drops it again.
pub(crate) fn dropped_twice() -> Written {
    Written {
        imports: PIPES,
        run: "(call $pipe (i32.const 0) (i32.const 0) (i32.const 256))
            (call $drop (i32.load (i32.const 260)))
            (call $drop (i32.load (i32.const 260)))",
        ..Written::default()
    }
}

/// Compresses a pipe that was dropped.
pub(crate) fn used_after_drop() -> Written {
    Written {
        imports: r#"(import "sopwith:plugin/flow@1.0.0" "[static]pipe.from-bytes"
                (func $pipe (param i32 i32 i32)))
            (import "sopwith:plugin/flow@1.0.0" "[resource-drop]pipe" (func $drop (param i32)))
            (import "sopwith:plugin/flow@1.0.0" "[method]pipe.compress"
                (func $compress (param i32 i32 i32 i32 i32)))"#,
        run: "(call $pipe (i32.const 0) (i32.const 0) (i32.const 256))
            (call $drop (i32.load (i32.const 260)))
            (call $compress (i32.load (i32.const 260)) (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 256))",
        ..Written::default()
    }
}

/// Gives a request of HTTP parts that nobody needs, and traps unless they are refused.
pub(crate) fn long_request() -> Written {
    Written {
        packages: "package wasi:http@0.2.0 {
            interface types {
                variant method { get, head, post, put, delete, connect, options, trace, patch, other(string) }
                resource fields { constructor(); }
                resource outgoing-request {
                    constructor(headers: fields);
                    set-method: func(method: method) -> result;
                    set-path-with-query: func(path: option<string>) -> result;
                    set-authority: func(authority: option<string>) -> result;
                }
            }
        }",
        world: "import wasi:http/types@0.2.0;",
        imports: r#"(import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
            (import "wasi:http/types@0.2.0" "[constructor]outgoing-request"
                (func $request (param i32) (result i32)))
            (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-method"
                (func $method (param i32 i32 i32 i32) (result i32)))
            (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query"
                (func $path (param i32 i32 i32 i32) (result i32)))
            (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority"
                (func $authority (param i32 i32 i32 i32) (result i32)))"#,
        fields: "(func $check (param $result i32) (param $expected i32)
            (if (i32.ne (local.get $result) (local.get $expected)) (then unreachable)))",
        run: "(local $at i32) (local $it i32)
            (local.set $at (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
            (memory.fill (local.get $at) (i32.const 97) (i32.const 60000))
            (i32.store8 (local.get $at) (i32.const 47))
            (local.set $it (call $request (call $fields)))
            (call $check (call $path (local.get $it) (i32.const 1) (local.get $at) (i32.const 8000)) (i32.const 0))
            (call $check (call $path (local.get $it) (i32.const 1) (local.get $at) (i32.const 9000)) (i32.const 1))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (call $check (call $method (local.get $it) (i32.const 9) (local.get $at) (i32.const 60)) (i32.const 0))
            (call $check (call $method (local.get $it) (i32.const 9) (local.get $at) (i32.const 70)) (i32.const 1))
            (call $check
                (call $authority (local.get $it) (i32.const 1) (local.get $at) (i32.const 500)) (i32.const 0))
            (call $check
                (call $authority (local.get $it) (i32.const 1) (local.get $at) (i32.const 600)) (i32.const 1))",
        ..Written::default()
    }
}

/// Keeps a text in each of many pipes, as the digest that it expects.
pub(crate) fn long_digest() -> Written {
    Written {
        imports: r#"(import "sopwith:plugin/flow@1.0.0" "[static]pipe.from-bytes"
                (func $pipe (param i32 i32 i32)))
            (import "sopwith:plugin/flow@1.0.0" "[method]pipe.expect"
                (func $expect (param i32 i32 i32 i32)))"#,
        run: "(call $pipe (i32.const 0) (i32.const 0) (i32.const 256))
            (call $expect (i32.load (i32.const 260)) (i32.const 512) (i32.const 200) (i32.const 256))
            (if (i32.eqz (i32.load8_u (i32.const 256))) (then unreachable))",
        ..Written::default()
    }
}

/// Hands the host a text of 17 MiB.
pub(crate) fn huge_text() -> Written {
    Written {
        imports: r#"(import "sopwith:plugin/journal@1.0.0" "redact" (func $redact (param i32 i32)))"#,
        run: "(drop (memory.grow (i32.const 300))) (call $redact (i32.const 0) (i32.const 17825792))",
        ..Written::default()
    }
}

/// Asks for a mebibyte of random bytes.
pub(crate) fn random_bomb() -> Written {
    Written {
        packages: "package wasi:random@0.2.0 {
            interface random { get-random-bytes: func(len: u64) -> list<u8>; }
        }",
        world: "import wasi:random/random@0.2.0;",
        imports: r#"(import "wasi:random/random@0.2.0" "get-random-bytes"
            (func $random (param i64 i32)))"#,
        run: "(call $random (i64.const 1048576) (i32.const 256))",
        ..Written::default()
    }
}

/// Calls itself without end.
pub(crate) fn recursion() -> Written {
    Written {
        fields: "(func $deeper (param i64) (result i64)
            (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))",
        run: "(drop (call $deeper (i64.const 0)))",
        ..Written::default()
    }
}
