//! The attacks on people's doors that are tried, and the tests that try them: each fails once its defence
//! is taken away. `tests/attacks` prints the table.

use std::fmt::Write as _;
use std::path::Path;

/// The attack, the defence, and the tests, as file and name.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const TABLE: &[Row] = &[
    (
        "guess a link",
        "256 random bits, stored as a hash; one answer for all that are not good",
        &[(
            "invitations",
            "a_link_that_is_made_up_opens_nothing_and_a_copy_of_the_database_has_none",
        )],
    ),
    (
        "read a link from the Referer",
        "no-referrer on every page, and nothing of another host on them",
        &[("pages_attacked", "every_page_has_the_headers_that_keep_it_to_itself")],
    ),
    (
        "let a scanner of mail use a link up",
        "GET and HEAD change nothing",
        &[
            ("pages_attacked", "to_look_uses_nothing_up"),
            ("invitations", "an_invitation_is_accepted_once_and_the_seat_is_counted_once"),
        ],
    ),
    (
        "use a link twice, or an old one",
        "a link is good once, and one at a time",
        &[
            ("invitations", "of_two_who_accept_at_once_one_wins"),
            ("invitations", "a_full_pool_hinders_nobody_who_is_invited"),
            ("invitations", "a_link_is_good_to_the_last_microsecond_of_its_hours"),
            ("pages", "each_dead_link_says_what_to_do"),
            ("pages", "of_two_who_set_a_password_at_once_one_wins"),
            ("pages", "a_link_for_a_new_password_is_good_for_an_hour_and_for_one_address"),
            (
                "pages",
                "a_link_dies_with_the_password_that_it_was_for_and_with_the_right_to_sign_in",
            ),
            ("credentials", "the_right_to_change_a_password_is_good_once_and_for_ten_minutes"),
        ],
    ),
    (
        "use a link for something else",
        "a link is good for what it was made for, and goes to the address that it was made for",
        &[
            ("pages_attacked", "a_link_is_good_for_what_it_was_made_for_alone"),
            ("invitation_attacks", "a_link_goes_to_the_address_that_was_invited_and_to_no_other"),
        ],
    ),
    (
        "fix the session of somebody else",
        "signing in gives a session that nobody knew before",
        &[("pages_attacked", "signing_in_gives_a_session_that_nobody_knew_before")],
    ),
    (
        "send a form from elsewhere",
        "forms are taken from our own pages alone",
        &[("pages_attacked", "forms_are_taken_from_our_own_pages_alone")],
    ),
    (
        "lead people elsewhere after a form",
        "no parameter and no header leads anywhere",
        &[("pages_attacked", "no_parameter_and_no_host_leads_elsewhere")],
    ),
    (
        "use a session of one tenant in another",
        "a session is of one tenant, whatever cookie it stands in",
        &[("pages_attacked", "a_session_of_one_tenant_is_none_in_another")],
    ),
    (
        "fill a mail box, or many",
        "wishes are counted by network, letters by person and by tenant",
        &[
            ("pages_attacked", "whoever_tries_too_often_waits"),
            ("pages", "nobody_is_mailed_who_could_not_sign_in_and_the_page_says_the_same"),
            ("invitation_mail", "links_are_sent_anew_within_limits"),
            ("invitation_mail", "turning_somebody_off_and_on_fills_no_mail_box"),
            ("invitation_mail", "an_administrator_cannot_flood_the_mail_boxes_of_a_tenant"),
        ],
    ),
    (
        "find out who is there, by what is answered",
        "one answer for all reasons; why somebody may not come in is told to who knows the password",
        &[
            ("signin", "nobody_learns_from_an_answer_whether_there_is_such_a_user"),
            ("pages_attacked", "nothing_tells_which_tenants_and_which_people_there_are"),
            ("pages", "nobody_is_mailed_who_could_not_sign_in_and_the_page_says_the_same"),
            ("pages", "who_may_not_come_in_is_told_why_and_only_with_the_right_password"),
        ],
    ),
    (
        "find out who is there, by how long it takes",
        "a password is verified whether there is such a user or not",
        &[("signin", "one_password_is_verified_whether_there_is_such_a_user_or_not")],
    ),
    (
        "try one password with many names, or many with one",
        "tries are counted by name, by network, and by both, before they are answered",
        &[
            ("signin", "one_password_for_many_names_is_caught_by_the_network"),
            ("signin", "guessing_one_password_is_slowed_down"),
            ("signin", "a_name_is_counted_however_it_is_written_and_whether_it_is_anybodys_or_not"),
            ("signin", "guesses_at_the_same_time_are_counted_before_they_are_answered"),
        ],
    ),
    (
        "lock somebody else out",
        "a network from which the person signed in before is not slowed down",
        &[("signin", "an_attack_from_everywhere_does_not_lock_a_person_out")],
    ),
    (
        "steal a refresh token",
        "it is good once; whoever comes second ends the session",
        &[
            ("sessions", "a_refresh_token_is_good_once_and_its_reuse_ends_the_session"),
            ("sessions", "a_thief_who_refreshes_often_is_found_by_the_first_token_of_the_owner"),
            ("sessions", "what_is_no_refresh_token_of_ours_is_refused"),
        ],
    ),
    (
        "sign a token with another algorithm or key",
        "the algorithm is ours and not the token's; keys are those in the database",
        &[
            ("access_tokens", "tokens_that_we_did_not_sign_open_nothing"),
            ("access_tokens", "what_our_key_signed_is_an_access_token_of_ours_or_nothing"),
            ("access_tokens", "a_key_in_wrong_hands_is_good_no_more"),
        ],
    ),
    (
        "use an old token, or live with another clock",
        "life, issuer and audience are looked at; keys go when their last token has ended",
        &[
            ("access_tokens", "a_token_is_good_for_its_life_its_issuer_and_its_audience"),
            ("access_tokens", "keys_change_while_tokens_are_out"),
        ],
    ),
    (
        "name another host",
        "every URL begins with the public one",
        &[
            ("access_tokens", "the_host_of_a_request_is_in_no_token"),
            ("pages_attacked", "the_host_of_a_request_is_in_no_mail_and_no_answer"),
            ("pages_attacked", "no_parameter_and_no_host_leads_elsewhere"),
        ],
    ),
    (
        "make an address up in X-Forwarded-For",
        "it is believed from trusted proxies alone",
        &[("signin", "addresses_that_a_client_makes_up_are_not_believed")],
    ),
    (
        "write headers into a mail",
        "names are one line, addresses are addresses",
        &[
            ("mail_trouble", "what_can_never_go_fails_and_says_why"),
            ("mail", "a_name_writes_no_header_and_leads_nowhere"),
        ],
    ),
    (
        "fish with the brand of a tenant, or with the name of a person",
        "plain text without anything that a mail program makes a link of",
        &[
            ("mail_admin", "a_brand_cannot_be_used_to_lead_people_away"),
            ("mail_admin", "templates_are_made_read_replaced_and_deleted"),
            ("pages", "pages_show_the_brand_of_the_tenant_and_nothing_else_of_it"),
            ("mail", "a_name_writes_no_header_and_leads_nowhere"),
        ],
    ),
    (
        "become an administrator by an invitation",
        "who is invited as one is never taken over, nor let in by a client's link",
        &[
            ("invitations", "nobody_becomes_an_administrator_by_taking_an_invitation_over"),
            ("invitations", "a_client_takes_over_nobody_whom_a_client_made"),
            ("invitation_attacks", "a_weak_token_gets_no_link_of_an_administrator"),
            ("invitation_attacks", "whoever_administers_an_account_is_an_administrator"),
        ],
    ),
    (
        "reset the password of an administrator",
        "it takes the right to give administrative roles",
        &[
            ("pages", "nobody_resets_the_password_of_an_administrator_without_the_right_to"),
            ("credentials", "only_administrators_make_passwords_of_administrators"),
            ("administrators", "the_password_of_an_administrator_stays"),
            ("administrators", "the_addresses_of_an_administrator_stay"),
        ],
    ),
];

#[test]
fn every_attack_is_tried_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut table = String::from("| Attack | Defence | Tests |\n|---|---|---|\n");
    for (attack, defence, tests) in TABLE {
        for (file, test) in *tests {
            let text = std::fs::read_to_string(root.join(format!("{file}.rs"))).unwrap();
            assert!(text.contains(&format!("async fn {test}(")), "{file}::{test} is missing");
        }
        let tests: Vec<_> =
            tests.iter().map(|(file, test)| format!("`{file}::*::{test}`")).collect();
        writeln!(table, "| {attack} | {defence} | {} |", tests.join(", ")).unwrap();
    }
    println!("{table}");
}
