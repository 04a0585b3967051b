//! `sopwith secrets`: lists secrets, sets those that are sealed, and makes the key that seals them.

use super::Common;
use crate::clock::SystemEntropy;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::foundation::{key_file, key_place};
use crate::output::{self, painted};
use anstyle::AnsiColor;
use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;
use sopwith_core::name::ResourceName;
use sopwith_core::port::operations::Operations;
use sopwith_core::port::{SecretSet, SecretStatus};
use sopwith_core::secret::{SecretStore, SecretValue, SecretVersion, Stage};
use std::io::{IsTerminal as _, Read as _};
use zeroize::Zeroizing;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show where each secret is kept, where it may go, and whether it is set
    List,
    /// Set a sealed secret to what is on standard input, or is typed in
    Set(SetArguments),
    /// Make the key of this host, which seals secrets and signs
    InitKey,
}

#[derive(Debug, clap::Args)]
struct SetArguments {
    /// Its name in `sopwith.toml`
    name: String,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    match arguments.command {
        Command::List => list(common).await,
        Command::Set(arguments) => set(&arguments.name, common).await,
        Command::InitKey => init_key(common),
    }
}

async fn list(common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let secrets = host.operations().look_at_secrets().await.map_err(Ended::from)?;
    if common.json {
        output::json(&secrets)?;
        return Ok(Exit::Passed);
    }
    if secrets.is_empty() {
        anstream::println!("no secret is named in sopwith.toml");
        return Ok(Exit::Passed);
    }
    let rows = secrets.iter().flat_map(rows).collect();
    output::table(
        &["SECRET", "STORE", "USE", "VERSION", "STAGE", "FINGERPRINT"],
        rows,
    );
    for secret in &secrets {
        if let Some(problem) = &secret.problem {
            let colour = if secret.is_set {
                AnsiColor::Yellow
            } else {
                AnsiColor::Red
            };
            anstream::println!("{} {}", painted(colour.on_default(), "!"), problem.message);
            if let Some(hint) = &problem.hint {
                anstream::println!("  {hint}");
            }
        }
    }
    Ok(Exit::Passed)
}

/// A row for the secret with the version in use, and one for each other version that is not retired.
fn rows(secret: &SecretStatus) -> Vec<Vec<String>> {
    let (current, others): (Vec<_>, Vec<_>) = secret
        .versions
        .iter()
        .filter(|version| version.stage != Stage::Retired)
        .partition(|version| version.stage == Stage::Current);
    let uses: Vec<_> = secret.secret.uses.iter().map(ToString::to_string).collect();
    let mut first = vec![
        secret.name.to_string(),
        store(&secret.secret.store),
        uses.join(", "),
    ];
    first.extend(match current.first() {
        Some(version) => of_version(version),
        None if secret.is_set => vec!["–".to_owned(), "set".to_owned(), "–".to_owned()],
        None => vec!["–".to_owned(), "missing".to_owned(), "–".to_owned()],
    });
    let others = others.into_iter().map(|version| {
        let blank = vec![String::new(); 3];
        [blank, of_version(version)].concat()
    });
    std::iter::once(first).chain(others).collect()
}

fn of_version(version: &SecretVersion) -> Vec<String> {
    vec![
        version.id.clone(),
        version.stage.to_string(),
        version.fingerprint.clone(),
    ]
}

fn store(store: &SecretStore) -> String {
    let word = store.as_str();
    match store {
        SecretStore::Environment { variable } => format!("{word} {variable}"),
        SecretStore::EnvFile { path, variable } => format!("{word} {} {variable}", path.display()),
        SecretStore::File { path } => format!("{word} {}", path.display()),
        SecretStore::Credential { name } => format!("{word} {name}"),
        SecretStore::Command { command } => format!("{word} {command}"),
        SecretStore::Sealed => word.to_owned(),
    }
}

async fn set(name: &str, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let name = settable(name, host.operations()).await?;
    let value = read_value(&name)?;
    let SecretSet { version, changed } = host
        .operations()
        .set_secret(name.clone(), value)
        .await
        .map_err(Ended::from)?;
    if common.json {
        output::json(&json!({ "secret": name, "version": version, "changed": changed }))?;
    } else if changed {
        anstream::println!("`{name}` is set: version {}", version.id);
    } else {
        anstream::println!("`{name}` has this value already: version {}", version.id);
    }
    Ok(Exit::Passed)
}

/// The secret of this name, looked for before anybody types a value that nobody could keep.
async fn settable(name: &str, operations: &dyn Operations) -> anyhow::Result<ResourceName> {
    let secrets = operations.secrets().await.map_err(Ended::from)?;
    if let Some((name, secret)) = secrets.iter().find(|(known, _)| known.as_str() == name) {
        return match secret.store.changed_by() {
            None => Ok(name.clone()),
            Some(how) => Err(Ended {
                exit: Exit::Usage,
                message: format!(
                    "`{name}` is kept in the store `{}`, not in the sealed one",
                    secret.store.as_str()
                ),
                hint: Some(how),
            }
            .into()),
        };
    }
    let names = secrets.keys().map(ResourceName::as_str);
    let hint = sopwith_config::nearest_name(name, names);
    Err(Ended {
        exit: Exit::Usage,
        message: format!("there is no secret `{name}`"),
        hint: Some(hint.unwrap_or_else(|| {
            format!("name it in sopwith.toml:  [secrets.{name}]  with  store = \"sealed\"")
        })),
    }
    .into())
}

/// The value on standard input, without one newline at its end.
fn read_value(name: &ResourceName) -> anyhow::Result<SecretValue> {
    let bytes = if std::io::stdin().is_terminal() {
        typed_in(name)?
    } else {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SecretValue::BYTES_MAX + 3));
        // One newline at the end is not part of it, and one byte more is too many.
        let most = SecretValue::BYTES_MAX as u64 + 3;
        std::io::stdin()
            .take(most)
            .read_to_end(&mut bytes)
            .context("standard input cannot be read")?;
        bytes
    };
    SecretValue::of_text(bytes)
        .map_err(|error| Ended::new(Exit::Usage, format!("the value cannot be kept: {error}")).into())
}

fn typed_in(name: &ResourceName) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let prompt = format!("value of `{name}` (not shown): ");
    let typed = rpassword::prompt_password(prompt).context("the terminal cannot be read")?;
    Ok(Zeroizing::new(typed.into_bytes()))
}

fn init_key(common: &Common) -> anyhow::Result<Exit> {
    let place = key_place(key_file(&common.folder())?);
    let key = place.make(&SystemEntropy).map_err(Ended::from)?;
    let path = place.path().display();
    if common.json {
        output::json(&json!({
            "file": place.path(),
            "seals_for": key.sealing_public(),
            "signs_as": key.signing_public(),
        }))?;
        return Ok(Exit::Passed);
    }
    anstream::println!("wrote {path}");
    anstream::println!("seals for {}", key.sealing_public());
    anstream::println!("signs as {}", key.signing_public());
    anstream::println!("keep a copy where no copy of the data directory is: what it sealed is lost with it");
    Ok(Exit::Passed)
}
