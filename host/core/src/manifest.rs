//! What a plugin says of itself: its actions, its settings and what it asks for.

use crate::grant::{Access, ResourceKind, Wanted};
use crate::name::{ActionName, PluginName};
use crate::resource::Origin;
use crate::template::Template;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath;

/// The answer of a plugin's `describe`. Whatever does not fit is a fault of the plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The plugin's own name.
    pub name: PluginName,
    /// The plugin's own version.
    pub version: String,
    /// One sentence for the operator.
    pub summary: String,
    /// The JSON Schema of the plugin's settings, one for all its actions.
    pub settings: Value,
    /// What the plugin can do; the first one is the default.
    pub actions: Vec<Action>,
}

impl Manifest {
    /// The action of that name, or the default one.
    pub fn action(&self, name: Option<&ActionName>) -> Option<&Action> {
        match name {
            Some(name) => self.actions.iter().find(|action| action.name == *name),
            None => self.actions.first(),
        }
    }
}

/// One thing that a plugin can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// The name by which schedules and people ask for it.
    pub name: ActionName,
    /// One sentence for the operator.
    pub summary: String,
    /// The JSON Schema of what one run is told.
    pub inputs: Value,
    /// The JSON Schema of the report's output.
    pub output: Value,
    /// Whether it changes anything outside its own state.
    #[serde(default)]
    pub changes: bool,
    /// Whether a run that was cut off may simply be started again.
    #[serde(default)]
    pub idempotent: bool,
    /// What it asks for.
    #[serde(default)]
    pub capabilities: Vec<CapabilityRequest>,
}

/// A permission that an action asks for.
///
/// The names of the resources stand in the procedure's settings, so the request says where:
/// `from` is a JSONPath (RFC 9535) into the settings whose strings are names of resources, or
/// URLs where the kind is `network`, or texts with `{{secret:NAME}}` where a secret is to be
/// inserted. A path that finds nothing asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapabilityRequest {
    /// What kind of resource.
    pub kind: ResourceKind,
    /// What it wants to do with it. For `network` the methods of HTTP, one request each.
    pub access: Access,
    /// Where in the settings the names are.
    pub from: String,
    /// Whether the action is worth nothing without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// One sentence for the operator who is asked to grant it.
    pub reason: String,
}

impl CapabilityRequest {
    /// What it asks for with these settings; the error is a fault of the plugin.
    pub fn wanted(&self, settings: &Value) -> Result<Vec<Wanted>, String> {
        let placed = self.wanted_in_places(settings)?;
        Ok(placed.into_iter().map(|(_, wanted)| wanted).collect())
    }

    /// The same, each with the JSON pointer to where the settings name it.
    pub fn wanted_in_places(&self, settings: &Value) -> Result<Vec<(String, Wanted)>, String> {
        let path = JsonPath::parse(&self.from)
            .map_err(|error| format!("`{}` is not a JSONPath: {error}", self.from))?;
        let found = path.query_located(settings);
        let strings = found
            .iter()
            .filter_map(|node| Some((node.location(), node.node().as_str()?)));
        let mut wanted = Vec::new();
        for (place, text) in strings {
            let place = place.to_json_pointer();
            let here = self.wanted_by(text)?.into_iter();
            wanted.extend(here.map(|one| (place.clone(), one)));
        }
        Ok(wanted)
    }

    fn wanted_by(&self, text: &str) -> Result<Vec<Wanted>, String> {
        match (self.kind, &self.access) {
            (ResourceKind::Network, _) => Ok(vec![self.server(text)?]),
            (ResourceKind::Secrets, Access::Insert) => {
                let template = Template::within(text)
                    .map_err(|error| format!("`{text}` is not a text with secrets: {error}"))?;
                let secrets = template.secrets();
                Ok(secrets
                    .map(|secret| Wanted::secret(secret.name.as_str(), Access::Insert))
                    .collect())
            }
            (kind, access) => {
                let (name, access) = (text.to_owned(), access.clone());
                Ok(vec![Wanted::Named { kind, name, access }])
            }
        }
    }

    fn server(&self, text: &str) -> Result<Wanted, String> {
        let url = text
            .parse()
            .map_err(|error| format!("`{text}` is not a URL: {error}"))?;
        let origin = Origin::of(&url).map_err(|error| error.to_string())?;
        let method = self.access.to_string();
        Ok(Wanted::Network { origin, method })
    }
}

fn yes() -> bool {
    true
}
