"""Drives a browser through people's pages: the whole story, and every page on which it can end.

usage: people_in_browser.py ORIGIN TOKEN DATA_DIR PICTURES BROWSER

ORIGIN is where a server on SQLite with its data in DATA_DIR and mail in DATA_DIR/mail runs, TOKEN has the
scope admin there. Each page is looked at by axe-core (WCAG A and AA), light and dark, and photographed into
PICTURES at the width of a desk and of a phone. Ends with a line that says how many pages there were.
"""

import email
import email.policy
import json
import pathlib
import sqlite3
import struct
import sys
import time
import urllib.request
import zlib

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

ORIGIN, TOKEN, DATA, PICTURES, BROWSER = sys.argv[1:6]
PICTURES = pathlib.Path(PICTURES)
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ABOUT = "urn:ietf:params:scim:schemas:extension:usher:2.0:User"
INVITED = "urn:ietf:params:scim:schemas:extension:usher-invitation:2.0:User"
OLD, NEW = "correct horse battery", "lachs tinte gabel orbit"
LOGIN = ORIGIN + "/t/default/login"


def ask(method, path, body=None):
    request = urllib.request.Request(ORIGIN + path, method=method)
    request.add_header("Authorization", "Bearer " + TOKEN)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json" if path.startswith("/admin") else "application/scim+json")
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def user(name, **more):
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "displayName": more.pop("display", "Inés Ruiz"),
        "emails": [{"value": name, "type": "work"}],
    }
    body.update(more)
    return ask("POST", "/scim/v2/Users", body)["id"]


def change(identifier, path, value):
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": path, "value": value}],
    }
    ask("PATCH", "/scim/v2/Users/" + identifier, body)


def link(address, word, after=()):
    """The link of this kind in the mail to this address; waits for it."""
    until = time.time() + 20
    while time.time() < until:
        for path in sorted(pathlib.Path(DATA, "mail").glob("*.eml"), reverse=True):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if address not in mail["To"]:
                continue
            text = mail.get_body(("plain",)).get_content()
            found = [part for part in text.split() if f"/{word}/" in part]
            if found and found[0] not in after:
                return found[0]
        time.sleep(0.05)
    raise SystemExit(f"no mail with a link for {word} to {address}")


def over(identifier):
    """The time of the user's links passes."""
    with sqlite3.connect(pathlib.Path(DATA, "usher.db"), timeout=10) as database:
        database.execute("UPDATE tickets SET expires = 1 WHERE resource = ?", [identifier])


def logo():
    """A picture of 240 by 60: bars on white."""
    row = lambda y: b"\0" + b"".join(
        bytes([192, 57, 43]) if (x // 30) % 2 and 10 < y < 50 else b"\xff\xff\xff" for x in range(240)
    )
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    pixels = zlib.compress(b"".join(row(y) for y in range(60)))
    head = struct.pack(">IIBBBBB", 240, 60, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class Person:
    """Somebody with a browser."""

    pages = 0

    def __init__(self, browser, **settings):
        self.context = browser.new_context(viewport=DESK, reduced_motion="reduce", **settings)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.watch(request.url))

    def hear(self, message):
        # That a page was refused is what it is meant to be; its own address is where it says so.
        is_own = message.location.get("url") == self.page.url and "Failed to load resource" in message.text
        if message.type in ("error", "warning") and not is_own:
            self.complaints.append(f"{message.text} {message.location} on {self.page.url}")

    def watch(self, url):
        if not url.startswith(ORIGIN + "/"):
            self.complaints.append("asks " + url)

    def sees(self, name, heading, *words):
        """The page has this heading and these words, is in order, and is photographed."""
        Person.pages += 1
        shown = self.page.locator("h1").inner_text()
        assert shown == heading, f"{name}: '{shown}' in place of '{heading}'"
        body = self.page.locator("main").inner_text()
        for word in words:
            assert word in body, f"{name}: no '{word}' in {body}"
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": LEVELS}}).response
            wrong = [(item["id"], [node["html"] for node in item["nodes"]]) for item in found["violations"]]
            assert not wrong, f"{name}, {scheme}: {wrong}"
            assert found["passes"], f"{name}: axe looked at nothing"
        for width, size in (("phone", PHONE), ("desktop", DESK)):
            self.page.set_viewport_size(size)
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name} is {wide} wide on a {width}"
            scheme = "light"
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)
        if name in ("activate-weak", "login", "accounts", "signed-in"):
            self.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            self.page.screenshot(path=PICTURES / f"{name}-dark.png", full_page=True)
        assert not self.complaints, self.complaints

    def opens(self, url):
        self.page.goto(url)

    def sends(self, **fields):
        for name, value in fields.items():
            self.page.fill(f"input[name={name}]:not([type=hidden])", value)
        with self.page.expect_navigation():
            self.page.locator("form button[type=submit]").first.click()

    def signs_in(self, name, password):
        self.opens(LOGIN)
        self.sends(username=name, password=password)


def invited(browser):
    """From the request of an identity provider to somebody who has signed in and out."""
    ines = user("ines@x.example", **{INVITED: {"mode": "email"}})
    url = link("ines@x.example", "activate")
    urllib.request.urlopen(url).read()
    person = Person(browser)
    person.opens(url)
    person.sees("activate", "Welcome to Acme Telecom", "Hello Inés Ruiz.", "At least 8 characters")
    page = person.page
    assert page.input_value("#username") == "ines@x.example"
    assert page.evaluate("document.activeElement.id") == "password"
    page.fill("#password", "abc")
    assert page.locator(".grow").inner_text() == "Too short yet."
    page.fill("#password", "Password1")
    page.get_by_role("button", name="Show password").click()
    assert page.get_attribute("#password", "type") == "text"
    page.get_by_role("button", name="Hide password").click()
    person.sends(password="Password1")
    person.sees("activate-weak", "Welcome to Acme Telecom", "guessed first", "Easy to guess")
    assert page.input_value("#password") == ""
    assert page.evaluate("document.activeElement.id") == "password"
    assert ask("GET", "/scim/v2/Users/" + ines)[ABOUT]["lifecycle"] == "invited"
    person.sends(password=NEW)
    assert page.url == LOGIN + "?password-set"
    person.sees("login-password-set", "Sign in to Acme Telecom", "Your password is set.")
    assert ask("GET", "/scim/v2/Users/" + ines)[ABOUT]["lifecycle"] == "active"
    person.sends(username="ines@x.example", password="wrong horse battery")
    person.sees("login-wrong", "Sign in to Acme Telecom", "The name or the password is wrong")
    person.sends(username="INES@x.example", password=NEW)
    person.sees("signed-in", "You are signed in", "Inés Ruiz")
    assert page.evaluate("document.cookie") == ""
    person.sends()
    assert page.url == LOGIN + "?signed-out"
    person.sees("signed-out", "Sign in to Acme Telecom", "You are signed out.")
    person.opens(ORIGIN + "/t/default/signed-in")
    assert page.url == LOGIN + "?ended"
    person.opens(url)
    person.sees("activate-used", "This link has been used", "tell your administrator at once")
    page.get_by_role("link", name="Go to sign-in").click()
    person.sees("login", "Sign in to Acme Telecom")


def dead(browser):
    """Every link that lets nobody in."""
    person = Person(browser)
    names = ("late", "again", "off")
    people = {name: user(f"{name}@x.example", **{INVITED: {"mode": "email"}}) for name in names}
    links = {name: link(f"{name}@x.example", "activate") for name in names}
    over(people["late"])
    change(people["off"], "active", False)
    ask("DELETE", "/scim/v2/Users/" + user("gone@x.example"))
    change(people["again"], "emails", [{"value": "moved@x.example", "type": "work"}])
    for name, shot, heading in (
        ("late", "activate-expired", "This link has expired"),
        ("again", "activate-replaced", "There is a newer link"),
        ("off", "activate-cancelled", "This link is no longer valid"),
    ):
        person.opens(links[name])
        person.sees(shot, heading)
    person.opens(links["late"] + "x")
    person.sees("activate-unknown", "We do not know this link")
    person.opens(ORIGIN + "/assets/nothing")
    person.sees("nothing-here", "That did not work", "There is nothing at this address")
    person.opens(LOGIN)
    person.context.clear_cookies()
    person.sends(username="x", password="y")
    person.sees("form-refused", "That did not work", "Nothing was done.")
    page = person.page
    page.get_by_role("link", name="Load the page again").click()
    assert page.url == LOGIN


def forgotten(browser):
    """A new password, and the links for one that let nobody in."""
    person = Person(browser)
    page = person.page
    people = {name: user(f"{name}@x.example", password=OLD) for name in ("forgot", "tardy", "twice")}
    person.opens(LOGIN)
    page.get_by_role("link", name="Forgotten your password?").click()
    person.sees("forgot", "Forgotten your password?")
    person.sends(username="forgot@x.example")
    person.sees("forgot-sent", "Look at your mail", "It is good for one hour.")
    url = link("forgot@x.example", "reset")
    person.opens(url)
    person.sees("reset", "Set a new password", "Hello Inés Ruiz.")
    person.sends(password="forgot-x-2026")
    person.sees("reset-weak", "Set a new password", "This password is")
    person.sends(password=NEW)
    assert page.url == LOGIN + "?password-set"
    person.sends(username="forgot@x.example", password=NEW)
    person.sees("signed-in-again", "You are signed in")
    person.opens(url)
    person.sees("reset-used", "This link has been used")
    for name, shot, heading in (
        ("tardy", "reset-expired", "This link has expired"),
        ("twice", "reset-cancelled", "This link is no longer valid"),
    ):
        ask("POST", f"/admin/users/{people[name]}/password:reset")
        url = link(f"{name}@x.example", "reset")
        if name == "tardy":
            over(people[name])
        else:
            change(people[name], "active", False)
        person.opens(url)
        person.sees(shot, heading)
    person.opens(ORIGIN + "/reset/nothing")
    person.sees("reset-unknown", "We do not know this link")


def refused(browser):
    """Those who know their password and may not come in, or not yet."""
    blocked = user("blocked@x.example", password=OLD)
    change(blocked, ABOUT + ":webLoginBlocked", True)
    user("away@x.example", password=OLD, **{ABOUT: {"ipAccess": "selected", "allowedIps": ["10.9.9.9"]}})
    handed = user("handed@x.example", password=OLD)
    made = ask("POST", f"/admin/users/{handed}/password:generate")["password"]
    person = Person(browser)
    person.signs_in("blocked@x.example", OLD)
    person.sees("blocked", "Signing in is blocked")
    person.signs_in("away@x.example", OLD)
    person.sees("address", "Not from here")
    person.signs_in("handed@x.example", made)
    person.sees("change", "Choose a password of your own")
    person.sends(password="Password1")
    person.sees("change-weak", "Choose a password of your own", "guessed first")
    person.sends(password=NEW)
    person.sees("change-done", "Sign in to Acme Telecom", "Your password is set.")
    for _ in range(12):
        person.signs_in("nobody@x.example", "wrong horse battery")
        if "too many tries" in person.page.locator("main").inner_text():
            break
    person.sees("login-slowed", "Sign in to Acme Telecom", "There were too many tries.")


def several(browser):
    """Somebody with several accounts, and somebody for whom no seat is free."""
    boss = user("boss@x.example", password=OLD, display="Bo Li")
    for number, name in (("A-100", "North"), ("A-200", "South & East")):
        account = ask("POST", "/admin/accounts", {"accountNumber": number, "displayName": name})["id"]
        ask("POST", f"/admin/users/{boss}/memberships", {"account": account})
    person = Person(browser)
    person.signs_in("boss@x.example", OLD)
    person.sees("accounts", "Choose an account", "North", "A-200")
    with person.page.expect_navigation():
        person.page.get_by_role("button", name="South & East").click()
    person.sees("signed-in-account", "You are signed in", "You use the account South & East.")
    pool = next(pool for pool in ask("GET", "/admin/pools")["pools"] if pool["value"] == "default")
    ask("PATCH", "/admin/pools/default", {"total": pool.get("used") or 1, "overagePolicy": "waitlist"})
    user("late@y.example", password=OLD)
    person = Person(browser)
    person.signs_in("late@y.example", OLD)
    person.sees("no-seat", "No free seat", "as soon as one is free")
    ask("PATCH", "/admin/pools/default", {"total": None})


def without(browser):
    """Without scripts, in Spanish, on a phone."""
    user("sin@x.example", preferredLanguage="es-ES", **{INVITED: {"mode": "email"}})
    person = Person(browser, java_script_enabled=False, locale="es-ES")
    page = person.page
    page.set_viewport_size(PHONE)
    person.opens(link("sin@x.example", "activate"))
    assert page.locator("h1").inner_text() == "Le damos la bienvenida a Acme Telecom"
    assert page.get_by_role("button").count() == 1
    page.screenshot(path=PICTURES / "activate-es-phone.png", full_page=True)
    person.sends(password="contraseña1")
    assert "una de las primeras que se prueban" in page.locator("main").inner_text()
    page.screenshot(path=PICTURES / "activate-weak-es-phone.png", full_page=True)
    person.sends(password=NEW)
    person.sends(username="sin@x.example", password=NEW)
    assert page.locator("h1").inner_text() == "Ha iniciado sesión"
    person.sends()
    assert "Ha cerrado la sesión." in page.locator("main").inner_text()
    assert not person.complaints, person.complaints


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    import base64

    picture = base64.b64encode(logo()).decode()
    ask("PUT", "/admin/brand", {"name": "Acme Telecom", "color": "#ffd200", "logo": picture})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for story in (invited, dead, forgotten, refused, several, without):
            story(browser)
        browser.close()
    print(f"people's pages: {Person.pages} pages looked at, no violation of WCAG A or AA")


if __name__ == "__main__":
    main()
