//! A service that gets well later: the retries of a check, and the action `wait`.

use crate::place::{Clinic, Place, Service, until};
use crate::recorder::Recorder;
use clinic::Breakage;
use serde_json::Value;

/// A clinic whose `/health` is broken, behind a recorder, and a smoke test that asks for it alone.
struct Ward {
    place: Place,
    clinic: Clinic,
    recorder: Recorder,
}

impl Ward {
    fn new(retries: u32) -> Self {
        let place = Place::new();
        let clinic = Clinic::start(&place, 0, vec![Breakage::Health]);
        let recorder = Recorder::in_front_of(&clinic.url());
        let url = recorder.url();
        place.add_to_host(&format!(
            "[network.clinic]\nallow = [\"{url}\"]\nmethods = [\"GET\"]\n"
        ));
        place.write(
            "config/procedures/ward.toml",
            format!(
                r#"summary = "Is the clinic well?"
plugin = "smoke"

[grants]
network = ["clinic"]

[[settings.checks]]
name = "health"
url = "{url}/health"
conditions = ["[STATUS] == 200", "[BODY].status == ok"]
retries = {retries}
retry_after = "200ms"
"#
            ),
        );
        Self {
            place,
            clinic,
            recorder,
        }
    }

    /// How often the clinic was asked.
    fn asked(&self) -> usize {
        self.recorder.methods().len()
    }

    /// Mends the clinic once it was asked at least so often, and returns the run, which has to pass.
    fn passes_once_mended(&self, mut run: Service, asked: usize) -> Value {
        until("a question that finds it broken", || {
            self.place.good(&["runs"]);
            (self.asked() >= asked).then_some(())
        });
        self.clinic.mend("health");
        run.wait_for("succeeded");
        assert_eq!(run.end(), Some(0));
        self.report()
    }

    /// The report of the newest run.
    fn report(&self) -> Value {
        self.place.json(&["show", "ward"])["details"]["run"]["report"].clone()
    }
}

#[test]
fn a_check_is_tried_again_until_the_service_is_well() {
    let ward = Ward::new(100);
    let run = ward.place.start(&["run", "ward"]);
    let report = ward.passes_once_mended(run, 2);
    let check = &report["output"]["checks"][0];
    assert_eq!(check["ok"], true, "{report:#}");
    assert_eq!(check["attempts"], ward.asked(), "{report:#}");
}

#[test]
fn a_check_counts_as_failed_after_its_last_retry() {
    let ward = Ward::new(2);
    let ended = ward.place.sopwith(&["run", "ward"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ward.asked(), 3, "once, and twice again");
    let report = ward.report();
    assert_eq!(report["output"]["checks"][0]["attempts"], 3, "{report:#}");
    assert_eq!(report["verdict"], "critical", "{report:#}");
}

#[test]
fn wait_goes_on_until_the_service_was_well_for_as_many_rounds_as_were_wanted() {
    let ward = Ward::new(0);
    let run = ward.place.start(&[
        "run",
        "ward",
        "wait",
        "--set",
        "limit=50s",
        "--set",
        "interval=10ms",
        "--set",
        "rounds=3",
    ]);
    let report = ward.passes_once_mended(run, 2);
    let output = &report["output"];
    assert_eq!(output["ok"], true, "{report:#}");
    assert_eq!(output["rounds"], ward.asked(), "{report:#}");
    assert!(ward.asked() >= 2 + 3, "{report:#}");
    assert_eq!(output["checks"][0]["ok"], true, "{report:#}");
}

#[test]
fn wait_is_critical_when_the_service_is_not_well_in_time() {
    let ward = Ward::new(0);
    let ended = ward.place.sopwith(&[
        "run",
        "ward",
        "wait",
        "--set",
        "limit=100ms",
        "--set",
        "interval=10ms",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("still not well after"), "{ended:?}");
    let report = ward.report();
    assert_eq!(report["output"]["ok"], false, "{report:#}");
    assert_eq!(report["verdict"], "critical", "{report:#}");
}
