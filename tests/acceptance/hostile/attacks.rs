//! Every attack by its name: who is let loose, and how that has to end. Each is a test, and the
//! memory of the host is measured under each.

use sopwith_core::failure::FailureKind;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) procedure: &'static str,
    pub(crate) action: &'static str,
    pub(crate) end: End,
}

/// How an attack has to end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// The host ends it, for a reason that begins so, and the plugin is blamed.
    Repelled(FailureKind, &'static str),
    /// It comes to its own end, and has gained nothing.
    Withstood,
}

impl Attack {
    const fn new(procedure: &'static str, action: &'static str, end: End) -> Self {
        Self {
            procedure,
            action,
            end,
        }
    }
}

macro_rules! end {
    () => {
        End::Withstood
    };
    ($kind:ident $why:literal) => {
        End::Repelled(FailureKind::$kind, $why)
    };
}

macro_rules! attacks {
    ($($name:ident: $procedure:literal $action:literal $($kind:ident $why:literal)?;)*) => {
        const NAMED: &[Attack] = &[$(Attack::new($procedure, $action, end!($($kind $why)?)),)*];
        $(
            #[test]
            fn $name() {
                super::check(Attack::new($procedure, $action, end!($($kind $why)?)));
            }
        )*
    };
}

attacks! {
    endless_loop: "impatient" "spin" Timeout "timeout";
    sleep_in_a_host_call: "impatient" "sleep-in-the-host" Timeout "timeout";
    sleep_in_wasi: "impatient" "sleep-in-wasi" Timeout "timeout";
    poll_for_ever: "impatient" "poll-for-ever" Timeout "timeout";
    deep_recursion: "attacks" "recurse" Failed "the plugin reached outside of its memory";
    stalled_http_body: "impatient" "stalled-body" Timeout "timeout";
    stalled_http_body_through_wasi: "impatient" "stalled-http" Timeout "timeout";
    slow_dns: "impatient" "slow-name" Timeout "timeout";
    endless_sql: "impatient" "endless" Timeout "timeout";

    memory_bomb: "attacks" "allocate" Limit "memory";
    memory_bomb_over_several_memories: "memories" "go" Limit "memory";
    table_bomb: "tables" "go" Limit "memory";
    handle_bomb: "attacks" "handles" Limit "handles";
    random_bytes_bomb: "attacks" "random-bytes" Limit "random_bytes";
    huge_string: "attacks" "huge-text" Limit "call_bytes";
    huge_list: "attacks" "huge-list" Limit "call_bytes";
    header_bomb: "attacks" "large-headers" Limit "header_bytes";
    descriptor_bomb: "attacks" "open-many" Limit "open_files";
    output_bomb: "attacks" "summary" Limit "output";
    json_bomb_in_the_report: "attacks" "json-of-a-report" Limit "memory";

    log_flood: "floods" "logs" Limit "calls";
    print_flood: "floods" "prints" Limit "calls";
    print_flood_without_asking: "floods" "unpermitted-prints" Failed "the plugin broke a rule of the sandbox";
    finding_flood: "floods" "findings" Limit "findings";
    attachment_flood: "floods" "attachments" Limit "attachments";
    figure_flood: "floods" "figures" Limit "calls";
    step_flood: "floods" "steps" Limit "calls";
    state_flood: "floods" "states" Limit "state";
    call_flood: "floods" "calls" Limit "calls";
    clock_flood: "floods" "clock" Limit "calls";
    flood_of_looks_at_files: "floods" "looks" Limit "calls";
    poll_flood: "floods" "polls" Limit "calls";

    exit_that_looks_like_success: "attacks" "exit" Failed "the plugin ended itself with exit code 0";
    panic_of_many_words: "attacks" "panic" Failed "the plugin panicked: xxx";
    cursor_used_after_its_session: "attacks" "use-after-end" Conflict "the session has ended";
    handle_used_after_its_drop: "dropped" "go" Failed "the plugin broke a rule of the sandbox: unknown handle";
    attachment_bomb: "attacks" "long-attachment" Limit "attachments";

    path_escapes: "attacks" "leave-the-directory";
    pipe_in_a_granted_directory: "attacks" "pipe";
    device_in_a_granted_directory: "attacks" "device";
    sql_that_leaves_its_session: "attacks" "leave-the-session";
    many_requests_at_once: "attacks" "many-requests";
    pipe_bomb: "attacks" "pipes";
    stream_bomb: "attacks" "streams";
    headers_of_many_messages: "attacks" "many-headers";
    bodies_of_many_messages: "attacks" "bodies";
    log_bomb: "attacks" "long-log";
    name_bomb: "attacks" "long-names";
    state_bomb: "attacks" "long-state";
    statement_bomb: "attacks" "long-statement";
    request_bomb: "attacks" "long-request";
    parameter_bomb: "attacks" "list";
    secret_bomb: "attacks" "secrets";
    json_bomb_in_a_step: "attacks" "json-of-a-step";
    row_bomb_in_several_sessions: "attacks" "huge-rows";
    row_of_many_large_values: "attacks" "wide-row";
    sort_that_spills: "attacks" "spill";
}

/// Those that need something around them: their tests are written out.
const OTHERS: [Attack; 4] = [
    Attack::new("attacks", "leave-the-line", End::Withstood),
    Attack::new("writing", "change", End::Withstood),
    Attack::new("attacks", "race", End::Withstood),
    Attack::new("attacks", "terminal", End::Withstood),
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Attack> {
    NAMED.iter().chain(&OTHERS).copied()
}
