//! Draws people, prose and amounts that look like a clinic's.

use jiff::ToSpan;
use jiff::civil::date;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngCore};
use uuid::Uuid;

use crate::attachments::{Attachment, FILE_KINDS};
use crate::ledger::Entry;
use crate::patients::NewPatient;

const GIVEN_NAMES: [&str; 12] = [
    "Ada", "Bela", "Chidi", "Dagny", "Emre", "Farah", "Goran", "Hana", "Ines", "Jonas", "Keiko", "Luca",
];

const FAMILY_NAMES: [&str; 12] = [
    "Abara",
    "Brandt",
    "Castillo",
    "Demir",
    "Eriksen",
    "Fontaine",
    "Gruber",
    "Horvat",
    "Ivanov",
    "Jansen",
    "Kato",
    "Lindqvist",
];

const WORDS: [&str; 32] = [
    "patient",
    "reports",
    "mild",
    "pain",
    "left",
    "knee",
    "since",
    "monday",
    "blood",
    "pressure",
    "normal",
    "advised",
    "rest",
    "and",
    "follow",
    "up",
    "in",
    "two",
    "weeks",
    "no",
    "allergies",
    "known",
    "prescribed",
    "ibuprofen",
    "examined",
    "by",
    "physician",
    "invoice",
    "sent",
    "to",
    "insurer",
    "paid",
];

const DEBITED: [&str; 3] = ["1000 cash", "1200 receivables", "1800 bank"];
const CREDITED: [&str; 4] = [
    "4000 consultations",
    "4100 laboratory",
    "4200 imaging",
    "4300 medication",
];

/// The users that a new database has.
const USER_IDS: std::ops::RangeInclusive<i64> = 1..=3;

/// Draws one item of a list that is not empty.
fn pick<T: Copy>(random: &mut StdRng, list: &[T]) -> T {
    *list.choose(random).expect("the lists of samples have items")
}

/// Draws a patient.
pub(crate) fn patient(random: &mut StdRng) -> NewPatient {
    let days = random.random_range(0..30_000);
    NewPatient {
        given_name: pick(random, &GIVEN_NAMES).to_owned(),
        family_name: pick(random, &FAMILY_NAMES).to_owned(),
        birth_date: date(1940, 1, 1).saturating_add(days.days()),
    }
}

/// Draws a journal entry of a patient; its credits are at least one cent each.
pub(crate) fn entry(random: &mut StdRng, patient: i64) -> Entry {
    let credits = (0..random.random_range(1..=3))
        .map(|_| (pick(random, &CREDITED), random.random_range(1..=50_000)))
        .collect();
    let words = random.random_range(20..=80);
    Entry {
        patient,
        recorded_by: random.random_range(USER_IDS),
        note: prose(random, words),
        debited: pick(random, &DEBITED),
        credits,
    }
}

/// Draws an attachment of a patient, with the content of its file.
pub(crate) fn attachment(random: &mut StdRng, patient: i64) -> (Attachment, Vec<u8>) {
    let kind = pick(random, &FILE_KINDS);
    let mut content = kind.magic.to_vec();
    let length = random.random_range(200..=2_000);
    if kind.media_type == "text/plain" {
        content.extend_from_slice(prose(random, length).as_bytes());
    } else {
        let start = content.len();
        content.resize(start + 4 * length, 0);
        random.fill_bytes(&mut content[start..]);
    }
    let attachment = Attachment {
        id: uuid::Builder::from_random_bytes(random.random()).into_uuid(),
        patient: Some(patient),
        kind,
        size_bytes: u32::try_from(content.len()).expect("a sample has some kilobytes"),
    };
    (attachment, content)
}

fn prose(random: &mut StdRng, words: usize) -> String {
    let mut text = String::with_capacity(words * 8);
    for _ in 0..words {
        text.push_str(pick(random, &WORDS));
        text.push(' ');
    }
    text
}

/// Draws the id of one request.
pub(crate) fn request_id() -> Uuid {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid()
}
