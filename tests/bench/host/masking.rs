//! What it costs to look for secrets in texts.

use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use sopwith_capabilities::Redactor;
use sopwith_core::digest::Digest;
use std::hint::black_box;
use std::time::Duration;

const ROUNDS: usize = 100;
const TEXT_BYTES: usize = 1 << 20;
const SHORT_TEXTS: u32 = 10_000;

pub(crate) fn measure() {
    let text = text();
    let mut baseline = Samples::default();
    for _ in 0..ROUNDS {
        baseline.add(timed(|| black_box(Digest::of(&text))).1);
    }
    for (figure, secrets) in [
        ("a MiB of text looked through for 1 secret", 1),
        ("the same for 10", 10),
        ("the same for 100", 100),
    ] {
        let redactor = redactor(secrets);
        let mut looked = Samples::default();
        for _ in 0..ROUNDS {
            looked.add(timed(|| black_box(redactor.mask_bytes(black_box(&text)))).1);
        }
        tell(figure, &looked, ("its SHA-256", &baseline), Target::None);
    }
    short_texts();
    learning();
}

/// Where no secret is known, nothing is looked for.
fn short_texts() {
    let redactor = Redactor::default();
    let (mut looked, mut baseline) = <(Samples, Samples)>::default();
    for _ in 0..ROUNDS {
        let ((), time) = timed(|| {
            for _ in 0..SHORT_TEXTS {
                black_box(redactor.mask(black_box("run clinic-backup succeeded")));
            }
        });
        looked.add(time / SHORT_TEXTS);
        let ((), time) = timed(|| {
            for _ in 0..SHORT_TEXTS {
                black_box(rustix::process::getppid());
            }
        });
        baseline.add(time / SHORT_TEXTS);
    }
    let target = Target::AtMost(Quantity::Time(Duration::from_micros(1)));
    tell(
        "a text where no secret is known",
        &looked,
        ("a system call", &baseline),
        target,
    );
}

fn learning() {
    let (mut learned, mut baseline) = <(Samples, Samples)>::default();
    let redactor = redactor(10);
    for number in 0..ROUNDS {
        let value = value(1_000 + number);
        let name = "token".parse().expect("a name");
        let (_, time) = timed(|| {
            redactor.learn(&name, value.as_bytes());
            black_box(redactor.mask(black_box("run clinic-backup succeeded")).len())
        });
        learned.add(time);
        baseline.add(timed(|| black_box(redactor.mask(black_box("run clinic-backup succeeded")).len())).1);
    }
    let target = Target::AtMost(Quantity::Time(Duration::from_millis(50)));
    tell(
        "learning one more, with 10 to 42 known",
        &learned,
        ("a text", &baseline),
        target,
    );
}

fn tell(name: &str, measured: &Samples, (what, baseline): (&str, &Samples), target: Target) {
    let figure = Figure {
        name,
        measured: Quantity::Time(measured.median()),
        baseline: (what, Quantity::Time(baseline.median())),
        target,
    };
    figure.tell();
}

fn redactor(secrets: usize) -> Redactor {
    let redactor = Redactor::default();
    for number in 0..secrets {
        let name = format!("secret-{number}").parse().expect("a name");
        redactor.learn(&name, value(number).as_bytes());
    }
    redactor
}

/// Characters of all kinds, so that each encoding is a form of its own.
fn value(number: usize) -> String {
    let digest = Digest::of(number.to_le_bytes()).hexadecimal();
    format!("{}+/\"&{}", &digest[..20], &digest[20..36])
}

fn text() -> Vec<u8> {
    let lines = (0..).map(|number: usize| {
        let digest = Digest::of(number.to_be_bytes()).hexadecimal();
        format!("{{\"id\":{number},\"name\":\"patient {number}\",\"token\":\"{digest}\"}}\n")
    });
    let mut text: Vec<u8> = lines.take(TEXT_BYTES / 64).flat_map(String::into_bytes).collect();
    text.truncate(TEXT_BYTES);
    text
}
