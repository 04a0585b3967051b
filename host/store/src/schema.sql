-- The history of one host: runs, ticks, findings, state and the audit log.
--
-- Instants are RFC 3339 in UTC with nine decimals, so that their order as text is their order in
-- time. Digests are the 32 bytes of SHA-256. What no query looks into is JSON in a column `body`.

-- A run as its events have left it. The columns beside `body` repeat what queries look for.
CREATE TABLE run (
    id          TEXT    NOT NULL PRIMARY KEY,
    -- The id from its end to its start, for people who know its last characters.
    id_reversed TEXT    NOT NULL,
    procedure   TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    -- The tick that it carries out, where a schedule started it.
    schedule    TEXT,
    nominal_at  TEXT,
    dry_run     INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
    state       TEXT    NOT NULL,
    verdict     TEXT,
    epoch       INTEGER NOT NULL CHECK (epoch > 0),
    queued_at   TEXT    NOT NULL,
    -- When it passed, unless it was dry; what a last success is.
    passed_at   TEXT,
    body        TEXT    NOT NULL,
    CHECK ((schedule IS NULL) = (nominal_at IS NULL)),
    -- A tick never runs twice.
    UNIQUE (procedure, schedule, nominal_at)
) STRICT;

CREATE INDEX run_by_id_reversed     ON run (id_reversed);
CREATE INDEX run_by_time            ON run (queued_at, id);
CREATE INDEX run_by_procedure       ON run (procedure, queued_at, id);
CREATE INDEX run_by_action          ON run (procedure, action, queued_at, id);
CREATE INDEX run_by_state           ON run (state, queued_at, id);
CREATE INDEX run_by_procedure_state ON run (procedure, state, queued_at, id);
CREATE INDEX run_by_verdict         ON run (verdict, queued_at, id) WHERE verdict IS NOT NULL;
CREATE INDEX run_by_procedure_verdict ON run (procedure, verdict, queued_at, id) WHERE verdict IS NOT NULL;
CREATE INDEX run_passed             ON run (procedure, action, passed_at) WHERE passed_at IS NOT NULL;

-- Runs that were asked for under a key: by a person under one of their own, by a run for each of its calls.
-- Who asks again gets the same run.
CREATE TABLE run_key (
    -- The procedure of a person's run; the id of the run that called.
    scope TEXT NOT NULL,
    key   TEXT NOT NULL,
    run   TEXT NOT NULL REFERENCES run (id),
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_key_by_run ON run_key (run);

-- What happened to a run; its `epoch` is the number of the event.
CREATE TABLE event (
    run   TEXT    NOT NULL REFERENCES run (id),
    epoch INTEGER NOT NULL,
    body  TEXT    NOT NULL,
    PRIMARY KEY (run, epoch)
) STRICT, WITHOUT ROWID;

-- What a run left behind while it was under way.
CREATE TABLE journal (
    run    TEXT    NOT NULL REFERENCES run (id),
    number INTEGER NOT NULL,
    -- The kind of note, for those kinds that are asked for by kind.
    kind   TEXT,
    body   TEXT    NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX journal_by_kind ON journal (run, kind, number) WHERE kind IS NOT NULL;

-- Evidence.
CREATE TABLE attachment (
    run        TEXT NOT NULL REFERENCES run (id),
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content    BLOB NOT NULL,
    PRIMARY KEY (run, name)
) STRICT;

-- A finding from the run that added it first to the one that resolved it.
CREATE TABLE finding (
    id            INTEGER PRIMARY KEY,
    procedure     TEXT    NOT NULL,
    check_id      TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    first_seen_at TEXT    NOT NULL,
    times_seen    INTEGER NOT NULL,
    first_run     TEXT    NOT NULL REFERENCES run (id),
    last_run      TEXT    NOT NULL REFERENCES run (id),
    resolved_by   TEXT    REFERENCES run (id),
    -- As it was added last.
    body          TEXT    NOT NULL
) STRICT;

-- `check_id` and `subject` are the fingerprint of a finding, so it is open at most once.
CREATE UNIQUE INDEX finding_open ON finding (procedure, check_id, subject) WHERE resolved_by IS NULL;

-- What keeps a run from being taken away.
CREATE INDEX finding_first_run   ON finding (first_run);
CREATE INDEX finding_last_run    ON finding (last_run);
CREATE INDEX finding_resolved_by ON finding (resolved_by) WHERE resolved_by IS NOT NULL;

-- What was taken away of the history of a procedure, since it was older or more than is kept.
CREATE TABLE pruned (
    procedure TEXT    NOT NULL PRIMARY KEY,
    -- When the oldest of its runs had been queued.
    since     TEXT    NOT NULL,
    -- Of what was queued before, only those runs are left that are needed.
    before    TEXT    NOT NULL,
    runs      INTEGER NOT NULL,
    ranges    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How often each call used each grant, over all recorded runs.
CREATE TABLE grant_use (
    procedure TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    access    TEXT    NOT NULL,
    call      TEXT    NOT NULL,
    times     INTEGER NOT NULL,
    last_at   TEXT    NOT NULL,
    last_run  TEXT    NOT NULL,
    PRIMARY KEY (procedure, action, kind, name, access, call)
) STRICT, WITHOUT ROWID;

-- What was not granted, over all recorded runs.
CREATE TABLE denial (
    procedure TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    wanted    TEXT    NOT NULL,
    times     INTEGER NOT NULL,
    last_at   TEXT    NOT NULL,
    last_run  TEXT    NOT NULL,
    -- As it was denied last.
    body      TEXT    NOT NULL,
    PRIMARY KEY (procedure, action, wanted)
) STRICT, WITHOUT ROWID;

-- Schedules that are in force, and how far their ticks are covered.
CREATE TABLE schedule (
    procedure TEXT NOT NULL,
    schedule  TEXT NOT NULL,
    revision  BLOB NOT NULL,
    cursor    TEXT NOT NULL,
    PRIMARY KEY (procedure, schedule)
) STRICT, WITHOUT ROWID;

-- Ticks without runs. A claim that follows directly on a range of the same reason prolongs it.
CREATE TABLE tick_range (
    procedure  TEXT    NOT NULL,
    schedule   TEXT    NOT NULL,
    first      TEXT    NOT NULL,
    last       TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    -- The cursor that this range brought about: a claim that saw it follows directly.
    covered_to TEXT    NOT NULL,
    PRIMARY KEY (procedure, schedule, first)
) STRICT, WITHOUT ROWID;

-- What is paused; an empty name stands for all.
CREATE TABLE pause (
    procedure TEXT NOT NULL,
    action    TEXT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (procedure, action)
) STRICT, WITHOUT ROWID;

-- How many runs of an action failed since one succeeded, or since it was resumed.
CREATE TABLE failures (
    procedure TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    in_a_row  INTEGER NOT NULL CHECK (in_a_row > 0),
    PRIMARY KEY (procedure, action)
) STRICT, WITHOUT ROWID;

-- Which schedules follow on the runs of what.
CREATE TABLE follower (
    procedure    TEXT NOT NULL,
    schedule     TEXT NOT NULL,
    of_procedure TEXT NOT NULL,
    of_action    TEXT NOT NULL,
    -- On those alone that passed, or that did not.
    passed       INTEGER CHECK (passed IN (0, 1)),
    PRIMARY KEY (procedure, schedule)
) STRICT, WITHOUT ROWID;

CREATE INDEX follower_by_followed ON follower (of_procedure, of_action);

-- Schedules that follow on a run which has ended, and have not done so yet.
CREATE TABLE owed (
    procedure TEXT NOT NULL,
    schedule  TEXT NOT NULL,
    run       TEXT NOT NULL REFERENCES run (id),
    PRIMARY KEY (procedure, schedule, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX owed_by_run ON owed (run);

-- What plugins remember.
CREATE TABLE state (
    procedure TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    value     BLOB    NOT NULL,
    PRIMARY KEY (procedure, key)
) STRICT;

-- The bytes of all keys and values of a procedure, so that a cap costs no sum.
CREATE TABLE state_size (
    procedure TEXT    NOT NULL PRIMARY KEY,
    bytes     INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;

-- The values of secrets that the host keeps itself, sealed with its key, which lies elsewhere.
CREATE TABLE sealed_secret (
    -- The order in which they came.
    number      INTEGER PRIMARY KEY,
    secret      TEXT NOT NULL,
    id          TEXT NOT NULL,
    stage       TEXT NOT NULL CHECK (stage IN ('pending', 'current', 'previous', 'retired')),
    created_at  TEXT NOT NULL,
    origin      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- The public part of the key that opens it.
    key         TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    UNIQUE (secret, id)
) STRICT;

-- At most one version of a secret is pending, one current and one previous.
CREATE UNIQUE INDEX sealed_secret_live ON sealed_secret (secret, stage) WHERE stage <> 'retired';

-- The compiled plugins that this host put into its cache: where they lie in it, and what is in them.
CREATE TABLE artefact (
    name   TEXT NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The chain of the audit log.
CREATE TABLE audit (
    seq            INTEGER PRIMARY KEY,
    previous       BLOB NOT NULL,
    at             TEXT NOT NULL,
    actor          TEXT NOT NULL,
    action         TEXT NOT NULL,
    object         TEXT NOT NULL,
    revision       BLOB,
    payload_digest BLOB NOT NULL,
    -- Of this entry; the next one carries it as `previous`.
    hash           BLOB NOT NULL
) STRICT;

-- The payloads lie apart, so that one can be redacted without breaking the chain.
CREATE TABLE audit_payload (
    seq  INTEGER PRIMARY KEY REFERENCES audit (seq),
    body TEXT NOT NULL
) STRICT;

-- How each list of entries is a page and no scan.
CREATE INDEX audit_by_time   ON audit (at, seq);
CREATE INDEX audit_by_action ON audit (action, at, seq);
CREATE INDEX audit_by_object ON audit (object, at, seq);
CREATE INDEX audit_by_actor  ON audit (actor ->> 'kind', actor ->> 'name', at, seq);

-- Who took a payload away, and why, signed.
CREATE TABLE audit_redaction (
    seq  INTEGER PRIMARY KEY REFERENCES audit (seq),
    body TEXT NOT NULL
) STRICT;

-- Signed checkpoints of the chain, each of the entry `seq`.
CREATE TABLE audit_checkpoint (
    seq  INTEGER PRIMARY KEY REFERENCES audit (seq),
    body TEXT NOT NULL
) STRICT;

-- What stands, signed, for entries that were retired: those from `first` to `last`.
CREATE TABLE audit_tombstone (
    first INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL,
    body  TEXT    NOT NULL
) STRICT;

-- The newest checkpoint that each anchor has.
CREATE TABLE audit_anchor (
    name TEXT    NOT NULL PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
