//! Moves commits from the write-ahead log into the database file, beside the writer.
//!
//! In a large database each change touches pages of its own, and moving them takes as long as the
//! changes themselves: done by the writer, every thousand pages all who write would wait for it.

use std::cell::Cell;
use std::os::raw::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

/// Pages of the log that are worth a move.
const SOME: Range = Range { least: 200, most: 1_000 };
/// Pages of the log (32 MiB) from which the writer moves a small rest itself: only when nothing is
/// left and nobody reads in it may the log begin anew.
const MANY: i64 = 8_000;
/// Pages of a database file (64 MiB) up to which most of a move; from five times as many on, least.
const SMALL: i64 = 16_000;

/// Between which numbers of pages a move chooses.
///
/// In a small database few pages are written again and again: a large move writes each of them once.
/// In a large one every page of the log is another page of the file and lies apart: a large move keeps
/// the disk busy for a tenth of a second, and commits wait for the same disk.
#[derive(Debug, Clone, Copy)]
struct Range {
    least: i64,
    most: i64,
}

impl Range {
    /// How much a move waits for in a file of so many pages.
    fn of(self, pages: i64) -> i64 {
        (self.most * SMALL / pages.max(1)).clamp(self.least, self.most)
    }
}

thread_local! {
    /// Pages of the log after the last commit of this thread.
    static PAGES: Cell<i64> = const { Cell::new(0) };
}

/// The writer's side.
pub(super) struct Writer {
    /// How many pages the next move waits for.
    some: Arc<AtomicI64>,
    /// A rest that the writer may move itself. It is more than a commit writes, or the log would not
    /// begin anew while large commits follow each other.
    small: i64,
    many: i64,
    /// Pages of the log that are in the file already.
    moved: Arc<AtomicI64>,
    wake: SyncSender<()>,
}

/// The mover's side.
pub(super) struct Mover {
    connection: Connection,
    range: Range,
    some: Arc<AtomicI64>,
    moved: Arc<AtomicI64>,
    woken: Receiver<()>,
}

/// Both sides, for the writer's thread and one of its own.
pub(super) fn pair(connection: Connection) -> (Writer, Mover) {
    of(connection, SOME, MANY)
}

fn of(connection: Connection, range: Range, many: i64) -> (Writer, Mover) {
    let moved = Arc::new(AtomicI64::new(0));
    let some = Arc::new(AtomicI64::new(range.most));
    // One that waits says it all.
    let (wake, woken) = sync_channel(1);
    let (small, log) = (4 * range.most, Arc::clone(&moved));
    let writer = Writer { some: Arc::clone(&some), small, many, moved: log, wake };
    (writer, Mover { connection, range, some, moved, woken })
}

/// Takes over from SQLite's own moves; for the thread that writes.
pub(super) fn watch(connection: &Connection) {
    connection.wal_hook(Some(note));
}

impl Writer {
    /// Has the log moved if it is long; after each commit.
    pub(super) fn after_commit(&self, connection: &Connection) {
        let pages = PAGES.get();
        if pages < self.moved.load(Ordering::Relaxed) {
            // It began anew.
            self.moved.store(0, Ordering::Relaxed);
        }
        let rest = pages - self.moved.load(Ordering::Relaxed);
        let some = self.some.load(Ordering::Relaxed);
        if rest < some {
            return;
        }
        // A small rest, so that the log may begin anew; a large one when the mover does not keep up.
        let moves = pages >= self.many && (rest < self.small || rest > 4 * self.many);
        if moves {
            advance(connection, &self.moved);
        } else if let Err(TrySendError::Disconnected(())) = self.wake.try_send(()) {
            // The mover is gone: without it the log would grow for ever.
            advance(connection, &self.moved);
        }
    }
}

impl Mover {
    /// Moves when it is woken, until the writer is gone.
    pub(super) fn run(self) {
        self.measure();
        while self.woken.recv().is_ok() {
            advance(&self.connection, &self.moved);
            self.measure();
        }
    }

    /// Looks how large the file is by now.
    fn measure(&self) {
        let pages = self
            .connection
            .prepare_cached("PRAGMA page_count")
            .and_then(|mut count| count.query_row([], |row| row.get(0)));
        // It cannot be read while others change it: then the next time.
        if let Ok(pages) = pages {
            self.some.store(self.range.of(pages), Ordering::Relaxed);
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the hook's type")]
fn note(_: &Wal, pages: c_int) -> rusqlite::Result<()> {
    PAGES.set(pages.into());
    Ok(())
}

/// Moves what no reader needs in the log any more, without waiting for anybody. One that fails is
/// repeated with the next commits; the log keeps everything meanwhile.
fn advance(connection: &Connection, moved: &AtomicI64) {
    let pages = connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|mut move_it| move_it.query_row([], |row| Ok((row.get(0)?, row.get(2)?))));
    match pages {
        Ok((0_i64, pages)) => moved.store(pages, Ordering::Relaxed),
        // The other side is at it.
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "sqlite.checkpoint"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::*;
    use crate::store::sqlite::open;

    /// Writes so many commits of a page or two each.
    fn write(connection: &Connection, log: &Writer, commits: usize) {
        for number in 0..commits {
            let insert = "INSERT INTO notes (text) VALUES (?1)";
            connection.execute(insert, [format!("{number:>3000}")]).unwrap();
            log.after_commit(connection);
        }
    }

    fn pages_of_log(path: &Path) -> u64 {
        let log = PathBuf::from(format!("{}-wal", path.display()));
        std::fs::metadata(log).unwrap().len() / 4096
    }

    /// A writer with both sides of its log.
    fn begin(path: &Path, some: i64, many: i64) -> (Connection, Writer, Mover) {
        let range = Range { least: some, most: some };
        let connection = open::writer(path, Duration::from_secs(1)).unwrap();
        connection.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
        let mover = open::mover(path, Duration::from_secs(1)).unwrap();
        let (log, mover) = of(mover, range, many);
        watch(&connection);
        (connection, log, mover)
    }

    #[test]
    fn moves_are_small_in_a_large_file() {
        let rows = [
            (0, 1_000),
            (16_000, 1_000),
            (32_000, 500),
            (80_000, 200),
            (1_000_000, 200),
            (-1, 1_000),
        ];
        for (pages, some) in rows {
            assert_eq!(SOME.of(pages), some, "{pages}");
        }
    }

    #[test]
    fn the_log_begins_anew_once_it_is_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher.db");
        let (connection, log, mover) = begin(&path, 100, 400);
        let mover = std::thread::spawn(move || mover.run());
        write(&connection, &log, 2_000);
        assert!(pages_of_log(&path) < 1_000, "{}", pages_of_log(&path));
        drop(log);
        mover.join().unwrap();
    }

    #[test]
    fn the_log_of_a_large_file_begins_anew_between_large_commits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher.db");
        let (connection, _, _) = begin(&path, 100, 400);
        let mover = open::mover(&path, Duration::from_secs(1)).unwrap();
        let (log, _mover) = of(mover, Range { least: 10, most: 100 }, 400);
        log.some.store(10, Ordering::Relaxed);
        for _ in 0..100 {
            connection.execute_batch("BEGIN").unwrap();
            for number in 0..80 {
                let insert = "INSERT INTO notes (text) VALUES (?1)";
                connection.execute(insert, [format!("{number:>3000}")]).unwrap();
            }
            connection.execute_batch("COMMIT").unwrap();
            // As after a mover that has moved all but the last commit.
            log.moved.store(PAGES.get() - 80, Ordering::Relaxed);
            log.after_commit(&connection);
        }
        assert!(pages_of_log(&path) < 1_000, "{}", pages_of_log(&path));
    }

    #[test]
    fn who_reads_for_long_holds_the_log_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher.db");
        let (connection, log, mover) = begin(&path, 100, 400);
        let mover = std::thread::spawn(move || mover.run());
        let reader = open::reader(&path, Duration::from_secs(1)).unwrap();
        let count = |connection: &Connection| -> i64 {
            connection.query_row("SELECT COUNT(*) FROM notes", [], |row| row.get(0)).unwrap()
        };
        write(&connection, &log, 10);
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(&reader), 10);
        write(&connection, &log, 1_000);
        assert_eq!(count(&reader), 10);
        assert!(pages_of_log(&path) > 1_000);
        reader.execute_batch("COMMIT").unwrap();
        assert_eq!(count(&reader), 1_010);
        let held = pages_of_log(&path);
        write(&connection, &log, 1_000);
        assert!(pages_of_log(&path) < held + 500, "it did not begin anew");
        drop(log);
        mover.join().unwrap();
    }

    #[test]
    fn without_a_mover_the_writer_moves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("usher.db");
        let (connection, log, mover) = begin(&path, 100, 100_000);
        drop(mover);
        write(&connection, &log, 1_000);
        assert!(pages_of_log(&path) < 400, "{}", pages_of_log(&path));
    }
}
