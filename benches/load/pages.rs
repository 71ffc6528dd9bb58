//! Pages by cursor (RFC 9865): each request needs what the one before it answered.

use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::drive::Watch;
use crate::figures::Figures;
use crate::site::Site;
use crate::workload::get;

/// Whether the server has this feature, as it says itself.
pub(crate) async fn supports(site: &Site, feature: &str) -> bool {
    let mut connection = Connection::open(&site.process.address).await;
    let mut request = Vec::new();
    get(&mut request, "/scim/v2/ServiceProviderConfig", site.token());
    let config = connection.exchange(&request).await.json();
    config.pointer(feature).and_then(serde_json::Value::as_bool) == Some(true)
}

/// Walks from page to page for a while; begins anew at the end.
pub(crate) async fn walk(site: &Site, time: Duration) -> Figures {
    let mut connection = Connection::open(&site.process.address).await;
    let watch = Watch::start(&site.process);
    let (mut took, mut cursor) = (Vec::new(), String::new());
    while watch.begun.elapsed() < time {
        let mut request = Vec::new();
        let path = format!("/scim/v2/Users?count=100&cursor={cursor}");
        get(&mut request, &path, site.token());
        let asked = Instant::now();
        let answer = connection.exchange(&request).await;
        answer.expect_good();
        took.push(asked.elapsed());
        cursor = next(answer.body).to_owned();
    }
    watch.figures(&mut took)
}

/// The cursor in an answer, found without reading all of it: the generator shares the cores.
fn next(body: &[u8]) -> &str {
    const NAME: &str = "\"nextCursor\":\"";
    let text = std::str::from_utf8(body).unwrap();
    let rest = text.find(NAME).map(|place| &text[place + NAME.len()..]);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}
