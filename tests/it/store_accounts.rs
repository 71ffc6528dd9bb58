//! Tenants, tokens and passwords.

use usher::clock::Micros;
use usher::ids::TokenId;
use usher::store::tokens::{self, Token};
use usher::store::{Error, passwords, tenants};

use crate::support::people::{T0, tenant};
use crate::support::{Db, each_db};

each_db! {
    async fn a_tenant_is_found_by_name_and_id_and_its_settings_can_change(db: Db) {
        let id = tenant(&db.store, "acme").await;
        tenant(&db.store, "Acme").await;
        let again = db.store.write_apart(async |tx| {
            let taken = tenants::Tenant {
                id: "t2".into(), name: "acme".to_owned(), settings: String::new(), created: T0,
                catalogue: String::new() };
            tenants::insert(tx, &taken).await
        }).await;
        assert_eq!(again, Err(Error::Taken("tenants.name".to_owned())));
        let done = db.store.write_apart::<_, Error, _>(async move |tx| {
            let found = tenants::find_by_name(tx, "acme").await?;
            assert_eq!(found.map(|tenant| tenant.id), Some(id.clone()));
            assert!(tenants::find_by_name(tx, "nobody").await?.is_none());
            assert!(tenants::set_settings(tx, &id, r#"{"a":1}"#).await?);
            assert!(!tenants::set_settings(tx, &"none".into(), "{}").await?);
            tenants::find(tx, &id).await
        }).await.unwrap().unwrap();
        assert_eq!((done.settings.as_str(), done.created), (r#"{"a":1}"#, T0));
    }

    async fn a_token_is_found_by_its_hash_with_its_tenant(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let other = tenant(&db.store, "other").await;
        let token = Token {
            id: TokenId::new(T0), tenant: owner.clone(), label: "Okta".to_owned(),
            scopes: "scim".to_owned(), created: T0, expires: Some(T0.plus_seconds(60)),
            revoked: None, last_used: None,
        };
        db.store.write_apart::<_, Error, _>(async move |tx| {
            tokens::insert(tx, &token, "h1").await?;
            let held = tokens::find_by_hash(tx, "h1").await?.unwrap();
            assert_eq!((held.token, held.tenant_name.as_str(), held.tenant_settings.as_str()),
                (token.clone(), "acme", "{}"));
            assert_eq!(tokens::find_by_hash(tx, "h2").await?, None);
            assert_eq!(tokens::list(tx, &owner).await?, std::slice::from_ref(&token));
            assert_eq!(tokens::list(tx, &other).await?, []);
            let id = &token.id;
            assert!(!tokens::revoke(tx, &other, id, T0).await?, "of another tenant");
            assert!(tokens::set_scopes(tx, &owner, id, "admin").await?);
            assert!(tokens::set_expiry(tx, &owner, id, None).await?);
            assert!(tokens::set_hash(tx, &owner, id, "h3").await?);
            assert_eq!(tokens::find_by_hash(tx, "h1").await?, None);
            assert!(tokens::mark_used(tx, &owner, id, T0).await?);
            assert!(!tokens::mark_used(tx, &owner, id, T0.plus_seconds(59)).await?);
            assert!(tokens::mark_used(tx, &owner, id, T0.plus_seconds(60)).await?);
            assert!(tokens::revoke(tx, &owner, id, T0.plus_seconds(70)).await?);
            assert!(!tokens::revoke(tx, &owner, id, T0.plus_seconds(80)).await?);
            let now = tokens::find(tx, &owner, id).await?.unwrap();
            assert_eq!((now.scopes.as_str(), now.expires), ("admin", None));
            assert_eq!(now.last_used, Some(T0.plus_seconds(60)));
            assert_eq!(now.revoked, Some(T0.plus_seconds(70)));
            assert!(now.is_valid(T0.plus_seconds(69)) && !now.is_valid(T0.plus_seconds(70)));
            Ok(())
        }).await.unwrap();
    }

    async fn one_secret_cannot_be_stored_twice(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let done = db.store.write_apart(async move |tx| {
            for _ in 0..2 {
                let token = Token {
                    id: TokenId::new(Micros(1)), tenant: owner.clone(), label: String::new(),
                    scopes: String::new(), created: T0, expires: None, revoked: None,
                    last_used: None,
                };
                tokens::insert(tx, &token, "same").await?;
            }
            Ok(())
        }).await;
        assert_eq!(done, Err(Error::Taken("tokens.hash".to_owned())));
    }

    async fn a_password_is_set_replaced_and_cleared(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        db.store.write_apart::<_, Error, _>(async move |tx| {
            assert_eq!(passwords::find(tx, &owner, "u").await?, None);
            assert!(!passwords::set_if(tx, &owner, "u", "x", "y").await?);
            passwords::set(tx, &owner, "u", "one").await?;
            passwords::set(tx, &owner, "u", "two").await?;
            assert!(!passwords::set_if(tx, &owner, "u", "one", "three").await?);
            assert!(passwords::set_if(tx, &owner, "u", "two", "three").await?);
            assert_eq!(passwords::find(tx, &owner, "u").await?.as_deref(), Some("three"));
            assert!(passwords::clear(tx, &owner, "u").await?);
            assert!(!passwords::clear(tx, &owner, "u").await?);
            Ok(())
        }).await.unwrap();
    }
}
