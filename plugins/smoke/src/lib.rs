//! Checks that services answer over HTTP as they should.

mod answer;
mod ask;
mod check;
mod condition;
mod outcome;
mod plan;
mod record;
mod report;
#[cfg(test)]
mod samples;
mod settings;
mod shown;
mod streak;
mod wait;

use settings::Settings;

sopwith::plugin!(Settings: check::check, wait::wait);

#[cfg(test)]
mod tests {
    use super::Component;
    use serde_json_path::JsonPath;
    use sopwith::Plugin;
    use sopwith::serde_json::{Value, json, to_value};

    /// The accesses that an action asks for where one check asks with this method.
    fn accesses(action: &Value, method: &Value) -> Vec<Value> {
        let settings = json!({ "checks": [{ "url": "http://127.0.0.1/", "method": method }] });
        let capabilities = action["capabilities"].as_array().expect("they are a list");
        let asked = capabilities.iter().filter(|capability| {
            if capability["kind"] != "network" {
                return false;
            }
            let from = capability["from"].as_str().expect("it is a text");
            let path = JsonPath::parse(from).expect("it is a path");
            path.query(&settings).all() == [&json!("http://127.0.0.1/")]
        });
        asked.map(|capability| capability["access"].clone()).collect()
    }

    #[test]
    fn secrets_are_asked_for_wherever_a_request_can_hold_one() {
        let check = json!({
            "url": "http://127.0.0.1/?a={{secret:A}}",
            "headers": { "x-b": "{{secret:B}}" },
            "body": "{{secret:C}}",
            "json": { "d": ["{{secret:D}}", 1], "e": "none" },
            "conditions": ["[STATUS] == 200"],
        });
        let settings = json!({ "checks": [check, { "json": "{{secret:E}}" }] });
        let manifest = to_value(Component::manifest()).expect("a manifest is JSON");
        for action in manifest["actions"].as_array().expect("there are actions") {
            let capabilities = action["capabilities"].as_array().expect("they are a list");
            let asked = capabilities
                .iter()
                .filter(|capability| capability["access"] == "insert");
            let texts = asked.flat_map(|capability| {
                let from = capability["from"].as_str().expect("it is a text");
                let path = JsonPath::parse(from).expect("it is a path");
                path.query(&settings).all()
            });
            let mut texts: Vec<_> = texts.filter_map(Value::as_str).collect();
            texts.sort_unstable();
            assert_eq!(
                texts,
                [
                    "http://127.0.0.1/?a={{secret:A}}",
                    "none",
                    "{{secret:B}}",
                    "{{secret:C}}",
                    "{{secret:D}}",
                    "{{secret:E}}",
                ]
            );
        }
    }

    #[test]
    fn each_method_asks_for_itself_alone() {
        let manifest = to_value(Component::manifest()).expect("a manifest is JSON");
        let method = &manifest["settings"]["properties"]["checks"]["items"]["properties"]["method"];
        assert_eq!(method["default"], json!("GET"));
        let methods = method["enum"].as_array().expect("the methods are listed");
        assert_eq!(methods.len(), 7);
        for action in manifest["actions"].as_array().expect("there are actions") {
            for method in methods {
                let accesses = accesses(action, method);
                assert_eq!(accesses, std::slice::from_ref(method), "{}", action["name"]);
            }
        }
    }
}
