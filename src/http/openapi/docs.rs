//! The contract as a page.
/// Its style.
pub const STYLE: &str = "";
/// The page.
pub fn page(_document: &serde_json::Value) -> String {
    String::new()
}
