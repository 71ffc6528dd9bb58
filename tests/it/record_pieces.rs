//! Lines of the record by name and number: several of them may stand in one row, whose number is that of the
//! last one.

use usher::clock::Micros;
use usher::store::Tx;
use usher::store::records::{self, Change, Line, Wanted};

use crate::support::people::tenant;
use crate::support::{Db, each_db};

const NAMES: [&str; 4] = ["user.created", "role.changed", "seat.denied", "seat.consumed"];

/// Changes of one to three lines.
fn changes() -> Vec<Change> {
    let change = |number: usize| Change {
        at: Micros(1),
        kind: "User".to_owned(),
        resource: format!("u{}", number % 3),
        version: Some(1),
        request: "r".to_owned(),
        token: "t".to_owned(),
        entries: (0..=number % 3)
            .map(|line| (NAMES[(number / 2 + line * 3) % 4], format!("{{\"n\":{number}}}")))
            .collect(),
    };
    (0..40).map(change).collect()
}

each_db! {
    async fn lines_of_some_names_between_two_numbers_are_those_and_no_others(db: Db) {
        let acme = tenant(&db.store, "acme").await;
        let (all, place) = (changes(), acme.clone());
        let write = async move |tx: &mut Tx<'_>| records::write(tx, &place, &all).await;
        db.store.write(&acme, write).await.unwrap();
        let told = async |wanted: Wanted| {
            let place = acme.clone();
            let look = async move |tx: &mut Tx<'_>| records::list(tx, &place, &wanted).await;
            db.store.read(look).await.unwrap()
        };
        let plain = Wanted { limit: 1_000, ..Wanted::default() };
        let whole = told(plain.clone()).await;
        assert_eq!(whole.len(), 79);
        let last = whole.last().unwrap().seq;
        for names in [vec![NAMES[0], NAMES[1]], vec![NAMES[2]], vec![]] {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            let is_named = |line: &&Line| names.is_empty() || names.contains(&line.name);
            let wanted: Vec<&Line> = whole.iter().filter(is_named).collect();
            for span in [1, 2, 7, 100] {
                for limit in [1, 3, 1_000] {
                    let (mut after, mut found) = (0, Vec::new());
                    while after < last {
                        let (names, place) = (names.clone(), acme.clone());
                        let wanted = Wanted { after, names, limit, ..plain.clone() };
                        let look = async move |tx: &mut Tx<'_>| {
                            records::among_next(tx, &place, &wanted, span).await
                        };
                        let (piece, end) = db.store.read(look).await.unwrap();
                        assert!(end > after);
                        after = end;
                        found.extend(piece);
                    }
                    assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{names:?} {span} {limit}");
                }
            }
        }
        let of = Wanted { resource: Some("u2".to_owned()), ..plain };
        let of_one: Vec<&Line> = whole.iter().filter(|line| line.resource == "u2").collect();
        assert_eq!(told(of).await.iter().collect::<Vec<_>>(), of_one);
    }
}
