//! What a test wrote of its names, and the answers that follow from it.

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::CNAME;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How long an answer may be kept, in seconds; long enough that a client that keeps one is noticed.
const TTL: u32 = 300;
/// Names that lead to each other would have an answer without an end.
const ALIASES_MAX: usize = 64;

/// The names of a test.
pub(crate) struct Zone {
    names: BTreeMap<Name, Says>,
    /// How often each name was asked for each type.
    lookups: BTreeMap<(Name, RecordType), usize>,
}

enum Says {
    Turns(Vec<Vec<IpAddr>>),
    Alias(Name),
    Silence,
}

impl Zone {
    /// Reads what a test wrote, and panics where it makes no sense.
    pub(crate) fn new<N: Into<String>, S: AsRef<str>>(names: impl IntoIterator<Item = (N, S)>) -> Self {
        let read = |(name, says): (N, S)| (name_of(&name.into()), Says::read(says.as_ref()));
        Self {
            names: names.into_iter().map(read).collect(),
            lookups: BTreeMap::new(),
        }
    }

    /// The answer to a question; none where the name is silent.
    pub(crate) fn answer(&mut self, question: &Message, query: &Query) -> Option<Message> {
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.recursion_desired = question.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.add_query(query.clone());

        let kind = query.query_type();
        let mut name = query.name().to_lowercase();
        for _ in 0..ALIASES_MAX {
            match self.names.get(&name) {
                Some(Says::Silence) => return None,
                Some(Says::Alias(other)) => {
                    let alias = RData::CNAME(CNAME(other.clone()));
                    answer.add_answer(Record::from_rdata(name, TTL, alias));
                    name = other.clone();
                }
                Some(Says::Turns(turns)) => {
                    let turn = self.lookups.entry((name.clone(), kind)).or_default();
                    let addresses = &turns[(*turn).min(turns.len() - 1)];
                    *turn += 1;
                    let records = addresses.iter().copied().map(RData::from);
                    let wanted = records.filter(|data| data.record_type() == kind);
                    answer.add_answers(wanted.map(|data| Record::from_rdata(name.clone(), TTL, data)));
                    return Some(answer);
                }
                None => {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                    return Some(answer);
                }
            }
        }
        Some(answer)
    }
}

impl Says {
    fn read(text: &str) -> Self {
        if text == "silence" {
            return Self::Silence;
        }
        if let Some(other) = text.strip_prefix("-> ") {
            return Self::Alias(name_of(other));
        }
        let address =
            |word: &str| -> IpAddr { word.parse().unwrap_or_else(|_| panic!("no address: `{word}`")) };
        let turns = text
            .split('|')
            .map(|turn| turn.split_whitespace().map(address).collect());
        Self::Turns(turns.collect())
    }
}

fn name_of(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap_or_else(|error| panic!("`{text}` is no name: {error}"));
    name.set_fqdn(true);
    name.to_lowercase()
}
