//! The file with the installation's key.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

/// The key in a file: 64 hexadecimal digits. A file that is made is for its owner alone, also while it
/// is written, and is there whole or not at all.
pub fn key_in(path: &Path, may_make: bool) -> Result<Zeroizing<[u8; 32]>, String> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.map(Zeroizing::new).ok_or_else(|| {
                "it is not a key: 64 hexadecimal digits were expected.".to_owned()
            })
        }
        Err(error) if error.kind() == ErrorKind::NotFound && may_make => make(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(
            "it is missing, and this database was sealed with it. Copy it from where the server ran \
             before."
                .to_owned(),
        ),
        Err(error) => Err(error.to_string()),
    }
}

/// Copies a key to where there is none, for its owner alone. Where both are the same file, or there is no
/// key yet, nothing is to be done; another key that is there already is left, and refused.
pub fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if from == to || !from.exists() {
        return Ok(());
    }
    let key = key_in(from, false)?;
    if to.exists() {
        let same = *key_in(to, false)? == *key;
        let refusal = || format!("{} is another installation's key.", to.display());
        return if same { Ok(()) } else { Err(refusal()) };
    }
    write(to, &key).map(drop)
}

fn make(path: &Path) -> Result<Zeroizing<[u8; 32]>, String> {
    let mut fresh = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *fresh).map_err(|error| error.to_string())?;
    write(path, &fresh)
}

/// Writes a key; gives the one that is there then: whoever was faster made the one that counts.
fn write(path: &Path, key: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, String> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let text = |error: std::io::Error| error.to_string();
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(text)?;
    }
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(text)?;
    let written = writeln!(file, "{}", hex::encode(key)).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| fs::hard_link(&aside, path));
    fs::remove_file(&aside).map_err(text)?;
    match placed {
        Ok(()) => Ok(Zeroizing::new(*key)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => key_in(path, false),
        Err(error) => Err(text(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_is_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data").join("key");
        assert!(key_in(&path, false).unwrap_err().contains("missing"));
        let first = key_in(&path, true).unwrap();
        assert_eq!(key_in(&path, true).unwrap(), first);
        assert_eq!(make(&path).unwrap(), first, "whoever comes second takes the first one's");
        let rights = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        let copied = directory.path().join("other").join("key");
        copy(&path, &copied).unwrap();
        assert_eq!(key_in(&copied, false).unwrap(), first);
        copy(&path, &copied).unwrap();
        fs::remove_file(&copied).unwrap();
        make(&copied).unwrap();
        assert!(copy(&path, &copied).unwrap_err().contains("another"));
        fs::write(&path, "short").unwrap();
        assert!(key_in(&path, true).unwrap_err().contains("hexadecimal"));
    }
}
