use http_body_util::BodyExt;
use serde_json::Value;

use super::*;
use crate::clock::Micros;

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Proves SCIM-404, SCIM-431.
#[tokio::test]
async fn results_are_answered_as_they_are_however_many_there_are() {
    for count in [0, 1, 3, 5_000] {
        let results: Vec<String> =
            (0..count).map(|at| format!("{{\"status\":\"{at}\"}}")).collect();
        let expected = format!("{HEAD}{}{TAIL}", results.join(","));
        assert_eq!(text(done(results)).await, expected);
    }
}

#[tokio::test]
async fn pages_of_results_are_joined_and_a_failure_breaks_off() {
    let page = |items: &[&str]| Ok(items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
    let pages = stream::iter([page(&["1", "2"]), page(&[]), page(&["3"])]);
    let body = Pieces::body("[".to_owned(), pages);
    assert_eq!(text(Response::new(body)).await, "[1,2,3]}");
    let broken = stream::iter([page(&["1"]), Err(Error::Timeout)]);
    assert!(Pieces::body("[".to_owned(), broken).collect().await.is_err());
}

/// Proves SCIM-434.
#[tokio::test]
async fn what_is_done_later_is_answered_without_a_body() {
    let response = later("t1", "https://x/scim/v2/Bulk/t1");
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.headers()["set-txn"], "t1");
    assert_eq!(response.headers()["preference-applied"], "respond-async");
    assert_eq!(response.headers()["location"], "https://x/scim/v2/Bulk/t1");
    assert_eq!(text(response).await, "");
}

#[test]
fn a_job_shows_how_far_it_is() {
    let job = Job {
        id: "t1".to_owned(),
        state: JobState::Running,
        total: 10,
        done: 4,
        failed: 1,
        created: Micros(0),
        finished: None,
    };
    let expected = json!({
        "schemas": [urn::BULK_STATUS], "id": "t1", "status": "running",
        "total": 10, "done": 4, "failed": 1, "created": "1970-01-01T00:00:00Z",
    });
    let mut shown = document(&job);
    assert!(shown["created"].as_str().unwrap().starts_with("1970-01-01T00:00:00"));
    shown["created"] = expected["created"].clone();
    assert_eq!(shown, expected);
    let ended = Job { state: JobState::Stopped, finished: Some(Micros(1)), ..job };
    assert_eq!(document(&ended)["status"], Value::from("stopped"));
    assert!(document(&ended)["finished"].is_string());
}
