//! What a whole host costs: `just bench NAME` of one below.

mod audit;
mod backup;
mod grants;
mod hostile;
mod intent;
mod masking;
mod plain;
mod record;
mod service;

#[expect(dead_code, reason = "a benchmark needs less than the tests")]
#[path = "../../acceptance/place.rs"]
mod place;
#[expect(dead_code, reason = "a benchmark needs less than the tests")]
#[path = "../../acceptance/procedures.rs"]
mod procedures;
#[path = "../../acceptance/warm.rs"]
mod warm;

fn main() {
    for (name, measure) in [
        ("record", record::measure as fn()),
        ("backup", backup::measure),
        ("service", service::measure),
        ("grants", grants::measure),
        ("intent", intent::measure),
        ("hostile", hostile::measure),
        ("masking", masking::measure),
        ("audit", audit::measure),
    ] {
        if sopwith_bench::wanted(name) {
            measure();
        }
    }
}
