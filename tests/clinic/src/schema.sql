CREATE TABLE tenants (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    created_at  TEXT NOT NULL
) STRICT;

CREATE TABLE features (
    tenant_id  TEXT NOT NULL REFERENCES tenants (id),
    name       TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    tenant_id     TEXT NOT NULL REFERENCES tenants (id),
    email         TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL,
    created_at    TEXT NOT NULL
) STRICT;
CREATE INDEX users_by_tenant ON users (tenant_id);

-- A record number belongs to one patient of a tenant. The index is not unique on purpose: imports
-- and old versions of real applications left such promises to the code, and an audit has to find what broke them.
CREATE TABLE patients (
    id             INTEGER PRIMARY KEY,
    tenant_id      TEXT NOT NULL REFERENCES tenants (id),
    record_number  INTEGER NOT NULL,
    given_name     TEXT NOT NULL CHECK (given_name <> ''),
    family_name    TEXT NOT NULL CHECK (family_name <> ''),
    birth_date     TEXT NOT NULL,
    created_at     TEXT NOT NULL
) STRICT;
CREATE INDEX patients_by_record_number ON patients (tenant_id, record_number);

-- `patient_id` is null where an entry or a document is the clinic's own.
CREATE TABLE journal_entries (
    id           INTEGER PRIMARY KEY,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    patient_id   INTEGER REFERENCES patients (id),
    recorded_by  INTEGER NOT NULL REFERENCES users (id),
    recorded_at  TEXT NOT NULL,
    note         TEXT NOT NULL
) STRICT;
CREATE INDEX journal_entries_by_patient ON journal_entries (patient_id);
CREATE INDEX journal_entries_by_time ON journal_entries (recorded_at);

CREATE TABLE journal_lines (
    id            INTEGER PRIMARY KEY,
    entry_id      INTEGER NOT NULL REFERENCES journal_entries (id),
    account       TEXT NOT NULL,
    debit_cents   INTEGER NOT NULL CHECK (debit_cents >= 0),
    credit_cents  INTEGER NOT NULL CHECK (credit_cents >= 0),
    CHECK ((debit_cents = 0) <> (credit_cents = 0))
) STRICT;
CREATE INDEX journal_lines_by_entry ON journal_lines (entry_id);

CREATE TABLE attachments (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    patient_id   INTEGER REFERENCES patients (id),
    file_name    TEXT NOT NULL UNIQUE,
    media_type   TEXT NOT NULL,
    size_bytes   INTEGER NOT NULL CHECK (size_bytes >= 0),
    path         TEXT NOT NULL UNIQUE,
    created_at   TEXT NOT NULL
) STRICT;
CREATE INDEX attachments_by_patient ON attachments (patient_id);
