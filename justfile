# One-line recipes; what takes more stands in a script beside its subject.

set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments

wasm := "wasm32-wasip2"
native := `rustc -vV | sed -n 's/^host: //p'`
runner := `command -v cargo-nextest >/dev/null && echo "nextest run" || echo "test --no-fail-fast"`

# List the recipes
default:
    @just --list --unsorted

# Build everything, start the clinic under load and the host on config/, and carry out every procedure (`just demo once`: and end)
demo *mode:
    tests/demo {{ mode }}

# Run every test with small numbers, or one group: `just test store`
test *group: (_tests group)

_tests group: plugins
    {{ if group == "" { "just lint && just tests-host && just tests-plugins && tests/demo once" } else { "just group " + group } }}

# Run the tests of one crate, plugin or subject
group name:
    if [ -d "plugins/{{ name }}" ]; then just tests-plugins --package {{ name }}; \
    elif [ "{{ name }}" = fuzz ]; then cargo {{ runner }} --locked --workspace fuzz::; \
    elif [ -d "host/{{ name }}" ]; then cargo {{ runner }} --locked --package sopwith-{{ name }}; \
    else cargo {{ runner }} --locked --package sopwith-cli --test acceptance {{ name }}; fi

tests-host *arguments:
    cargo {{ runner }} --locked --workspace {{ arguments }}

tests-plugins *arguments:
    cd plugins && cargo {{ runner }} --locked --target {{ native }} {{ if arguments == "" { "--workspace" } else { arguments } }}
    cd plugins && cargo test --locked --quiet --doc --target {{ native }} --package sopwith-sdk

# Format, and lint with every warning an error
lint:
    cargo fmt --all --check
    cd plugins && cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
    cd plugins && cargo clippy --locked --workspace --quiet --target {{ wasm }} -- -D warnings
    cd plugins && cargo clippy --locked --workspace --quiet --tests --target {{ native }} -- -D warnings

# Build the standard plugins and the fixtures
plugins:
    cd plugins && cargo build --locked --release --target {{ wasm }}

# Run the tests with their full numbers of repetitions, against an oracle that is made anew
soak:
    tests/oracle/make
    SOPWITH_TEST_TIER=soak just test

# Measure, each figure beside its baseline, or one group of them: `just bench record`
bench *name: plugins
    tests/bench/run {{ name }}

# Check dependencies against bans, licences and sources
audit:
    cargo deny --offline check bans licenses sources

# Format everything
format:
    cargo fmt --all
    cd plugins && cargo fmt --all
