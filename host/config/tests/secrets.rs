//! What `check` says of secrets and of the host's key.

use crate::support::{Folder, ManifestLoader, standard, workshop};
use sopwith_config::{Severity, load};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

/// A grant of the secret X to the one procedure.
const GRANTED: (&str, &str) = ("[grants]", "[grants]\nsecrets = [\"X\"]");

fn folder(host: &str) -> Folder {
    let folder = Folder::new();
    folder.write("sopwith.toml", &format!("{host}\n{}", Folder::HOST));
    folder.edit(GRANTED.0, GRANTED.1);
    folder
}

/// What is told, as `SEVERITY MESSAGE (HINT)`.
async fn told(folder: &Folder) -> Vec<String> {
    let (loader, standard) = (ManifestLoader::default(), standard());
    let result = load(&folder.path(), workshop(&loader, &standard), None).await;
    let root = folder.path().display().to_string();
    let said = result.diagnostics.iter().map(|one| {
        let hint = one.hint.as_deref().unwrap_or_default();
        format!("{} {} ({hint})", one.severity, one.message).replace(&root, "…")
    });
    said.collect()
}

/// It is told where the secret is named, and where a procedure is granted it.
fn assert_told_at_both(told: &[String], expected: &str) {
    let both = told.len() == 2 && told.iter().all(|one| one.contains(expected));
    let granted = told.iter().any(|one| {
        let mut parts = one.split('`');
        one.starts_with("warning the procedure") && parts.nth(5) == Some("X") && one.contains("(plugin `")
    });
    assert!(both && granted, "{told:?}");
}

fn set_mode(folder: &Folder, file: &str, mode: u32) {
    fs::set_permissions(folder.path().join(file), Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_file_that_everybody_may_read_is_told_until_it_is_closed() {
    let folder = folder("[secrets.X]\nstore = \"file\"\npath = \"token\"\n");
    folder.write("token", "hush\n");
    for (mode, may) in [(0o644, "read"), (0o602, "change")] {
        set_mode(&folder, "token", mode);
        let expected = format!(
            "warning the secret `X`: everybody on this machine may {may} its file, whose mode is {mode:o} (chmod o-rwx …/token)"
        );
        assert_eq!(told(&folder).await, [expected]);
    }
    set_mode(&folder, "token", 0o640);
    assert_eq!(told(&folder).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_without_a_value_is_told() {
    let folder = folder("[secrets.X]\nstore = \"file\"\npath = \"token\"\n");
    let check = async |content: &[u8], expected: &str| {
        fs::write(folder.path().join("token"), content).unwrap();
        set_mode(&folder, "token", 0o600);
        assert_told_at_both(&told(&folder).await, expected);
    };
    check(b"\n", "its file: it is empty").await;
    check(&vec![b'x'; 70_000], "its file is too large for a secret").await;
    check(&vec![b'x'; (64 << 10) + 1], "its file: it has more than").await;
}

#[tokio::test]
async fn a_variable_that_its_file_does_not_tell_is_told() {
    let folder = folder("[secrets.X]\nstore = \"env-file\"\npath = \".env\"\n");
    let check = async |content: &[u8], expected: &str| {
        fs::write(folder.path().join(".env"), content).unwrap();
        set_mode(&folder, ".env", 0o600);
        let told = told(&folder).await;
        assert_told_at_both(&told, expected);
        assert!(!told.join("").contains("hush"), "{told:?}");
    };
    check(b"Y=hush\n", "its file does not set `X`").await;
    check(b"Y=hush\nX=\n", "`X` is empty in its file").await;
    check(b"Y=1\nX=\"hush\n", "line 2: a quote is not closed").await;
    check(b"X=\xff", "its file is not text").await;
    fs::write(folder.path().join(".env"), "export X='hush'\n").unwrap();
    assert_eq!(told(&folder).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_key_that_others_can_get_at_is_an_error() {
    let folder = folder("[secrets.X]\nstore = \"sealed\"\n");
    let missing = told(&folder).await;
    assert!(missing[0].contains("needs the host's key"), "{missing:?}");
    folder.write("key", "whatever");
    set_mode(&folder, "key", 0o640);
    let exposed = told(&folder).await;
    assert!(
        exposed[0].starts_with("error the key of the host, `…/key`, is not its own: its mode is 640"),
        "{exposed:?}"
    );
    assert!(exposed[0].ends_with("(chmod 600 …/key)"), "{exposed:?}");
    set_mode(&folder, "key", 0o600);
    assert_eq!(told(&folder).await, Vec::<String>::new());
    // Only an administrator can give a file away.
    if chown(folder.path().join("key"), Some(12_345), None).is_ok() {
        let others = told(&folder).await;
        assert!(others[0].starts_with("error the key of the host"), "{others:?}");
        assert!(others[0].contains("it belongs to the user 12345"), "{others:?}");
    }
}

#[tokio::test]
async fn a_directory_with_the_key_in_it_is_refused() {
    let folder = Folder::new();
    let host = "[host]\nkey_file = \"safe/key\"\n\n[directories.safe]\npath = \"safe\"\n";
    folder.write("sopwith.toml", &format!("{host}\n{}", Folder::HOST));
    folder.write("safe/key", "whatever");
    set_mode(&folder, "safe/key", 0o600);
    let told = told(&folder).await;
    let expected =
        "error the directory `safe` contains the key of the host: a procedure could open every sealed secret";
    assert!(told[0].starts_with(expected), "{told:?}");
}

#[tokio::test]
async fn a_secret_that_nothing_uses_is_told() {
    let folder = folder("[secrets.X]\nstore = \"sealed\"\n\n[secrets.Y]\nstore = \"sealed\"\n");
    folder.write("key", "whatever");
    set_mode(&folder, "key", 0o600);
    let unused = told(&folder).await;
    assert!(
        unused.len() == 1 && unused[0].starts_with("warning nothing uses the secret `Y`"),
        "{unused:?}"
    );
    folder.edit(GRANTED.0, &format!("{}\nsecret_reveal = [\"Y\"]", GRANTED.1));
    assert_eq!(told(&folder).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_new_key_file_waits_for_the_next_start() {
    let folder = folder("[secrets.X]\nstore = \"sealed\"\n");
    folder.write("key", "whatever");
    set_mode(&folder, "key", 0o600);
    let (loader, standard) = (ManifestLoader::default(), standard());
    let before = load(&folder.path(), workshop(&loader, &standard), None)
        .await
        .generation
        .unwrap();
    let host = format!(
        "[host]\nkey_file = \"key2\"\n[secrets.X]\nstore = \"sealed\"\n{}",
        Folder::HOST
    );
    folder.write("sopwith.toml", &host);
    folder.write("key2", "whatever");
    set_mode(&folder, "key2", 0o600);
    let changed = load(&folder.path(), workshop(&loader, &standard), Some(&before)).await;
    assert_eq!(
        changed.generation.unwrap().host.key_file,
        folder.path().join("key")
    );
    let [warning] = changed.diagnostics.as_slice() else {
        panic!("{:?}", changed.diagnostics)
    };
    assert_eq!(warning.severity, Severity::Warning);
    assert!(warning.message.contains("`key_file` takes effect"), "{warning}");
}

#[tokio::test]
async fn a_command_that_tells_a_secret_has_no_blanks_and_changes_nothing() {
    let command = |rest: &str| {
        format!(
            "[secrets.X]\nstore = \"command\"\ncommand = \"tell\"\n\n[commands.tell]\nprogram = \"/bin/echo\"\n{rest}"
        )
    };
    let fine = folder(&command("arguments = [\"hush\"]\neffects = \"none\"\n"));
    assert_eq!(told(&fine).await, Vec::<String>::new());
    let with_blank = folder(&command(
        "arguments = [\"{x}\"]\neffects = \"none\"\nblanks = { x = { pattern = \"[a-z]+\" } }\n",
    ));
    let told_of_blank = told(&with_blank).await;
    assert!(
        told_of_blank[0].starts_with("error the command `tell` has the blank `x`, and nobody fills it in"),
        "{told_of_blank:?}"
    );
    let that_changes = folder(&command("arguments = [\"hush\"]\neffects = \"changes\"\n"));
    let told_of_changes = told(&that_changes).await;
    assert!(
        told_of_changes[0]
            .starts_with("error the command `tell` changes something, and dry runs read secrets"),
        "{told_of_changes:?}"
    );
}

#[tokio::test]
async fn a_secret_that_a_command_is_given_is_used() {
    let host = "[secrets.X]\nstore = \"sealed\"\n\n[secrets.Y]\nstore = \"sealed\"\nuse = [\"commands.it\"]\n
[commands.it]\nprogram = \"/bin/true\"\narguments = []\neffects = \"none\"\nenvironment = { Y = \"{{secret:Y}}\" }\n";
    let folder = folder(host);
    folder.write("key", "whatever");
    set_mode(&folder, "key", 0o600);
    assert_eq!(told(&folder).await, Vec::<String>::new());
}
