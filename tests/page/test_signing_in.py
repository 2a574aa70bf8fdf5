"""A user signs in where the deployment asks for it, and is asked again when that has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from pipeline.operations.publishing import Deployed, sign_in_of
from tests.conftest import ROOT
from tests.page.conftest import is_fault
from tests.page.issuer import CLIENT, Issuer, Site, served
from tests.page.test_access import AXE
from tests.page.user import User, logged

KEY = "mk_1234.secret"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with served(made) as made.address:
        yield made


@pytest.fixture
def site(issuer: Issuer) -> Iterator[Site]:
    """A deployment with the issuer, configured as `matteline page publish` does it."""
    made = Site(ROOT / "containers/http_api/page", issuer=issuer, hosts=(issuer.address,))
    with served(made) as address:
        issuer.redirect = f"{address}/"
        said = {"kind": "tokens", "issuer": issuer.address, "client_id": CLIENT,
                "scope": "openid", "token_origin": issuer.address}  # fmt: skip
        made.sign_in = sign_in_of(Deployed(address, said))
        yield made


@pytest.fixture
def visitor(
    browser: webdriver.Chrome, site: Site, issuer: Issuer, tmp_path: Path
) -> Iterator[User]:
    """Somebody at the page for the first time. Afterwards: the policy blocked nothing."""
    assert site.sign_in
    yield from _visit(browser, issuer.redirect.rstrip("/"), tmp_path)


@pytest.fixture
def guest(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[User]:
    """Somebody at a deployment with keys."""
    made = Site(ROOT / "containers/http_api/page", sign_in={"kind": "key"}, key=KEY)
    with served(made) as address:
        yield from _visit(browser, address, tmp_path)


def _visit(browser: webdriver.Chrome, address: str, folder: Path) -> Iterator[User]:
    user = User(browser, address, folder)
    user.begin()
    yield user
    assert browser.execute_script("return window.blocked") == []
    assert [each for each in logged(browser, "browser") if is_fault(each)] == []
    browser.get("about:blank")


def sign_in(user: User) -> None:
    user.find("dialog[open] .btn.primary", text="Sign in").click()


def wait_for_answer(user: User, site: Site, status: int = 200) -> None:
    user.until(lambda: status in site.answered or None, f"an answer {status}")
    user.gone("dialog[open]")


def held(user: User) -> dict[str, object]:
    return dict(json.loads(user.run("return sessionStorage.getItem('matteline.signed-in')")))


def expire(user: User) -> None:
    """Let this tab's token be too old, as after an hour."""
    user.run("""
      const held = JSON.parse(sessionStorage.getItem('matteline.signed-in'))
      sessionStorage.setItem('matteline.signed-in',
        JSON.stringify({ ...held, at: held.at - 4e6, until: Date.now() - 1000 }))
    """)


def test_a_user_signs_in_at_the_issuer_and_comes_back(
    visitor: User, site: Site, issuer: Issuer
) -> None:
    visitor.find("dialog[open]", text="Sign in to use this service")
    assert site.answered == []
    sign_in(visitor)
    wait_for_answer(visitor, site)

    assert set(site.answered) == {200}
    assert visitor.driver.current_url == issuer.redirect  # without code and state
    assert issuer.accepts(f"Bearer {held(visitor)['access']}")
    assert visitor.run("return localStorage.length") == 0


def test_a_user_comes_back_to_the_place_of_the_page_that_they_opened(
    visitor: User, site: Site, issuer: Issuer
) -> None:
    visitor.driver.get(f"{issuer.redirect}#/console/containers")
    visitor.driver.refresh()
    sign_in(visitor)
    wait_for_answer(visitor, site)

    assert visitor.driver.current_url == f"{issuer.redirect}#/console/containers"
    visitor.find("h1", text="Containers")


def test_a_reload_needs_no_new_sign_in(visitor: User, site: Site, issuer: Issuer) -> None:
    sign_in(visitor)
    wait_for_answer(visitor, site)
    site.answered.clear()
    visitor.open()
    wait_for_answer(visitor, site)

    assert issuer.paths().count("/authorize") == 1


def test_an_answer_with_another_state_is_not_taken(
    visitor: User, site: Site, issuer: Issuer
) -> None:
    issuer.state = "made-up"
    sign_in(visitor)

    assert visitor.find("dialog[open] [role=alert]", text="was not started here")
    assert "/token" not in issuer.paths()
    assert site.answered == []
    issuer.state = None
    sign_in(visitor)
    wait_for_answer(visitor, site)


def test_a_link_with_the_code_of_somebody_else_is_not_taken(visitor: User, issuer: Issuer) -> None:
    visitor.driver.get(f"{issuer.redirect}?code=theirs&state=theirs")

    assert visitor.find("dialog[open] [role=alert]", text="was not started here")
    assert "/token" not in issuer.paths()


def test_a_code_without_its_verifier_gives_no_token(visitor: User, issuer: Issuer) -> None:
    visitor.find("dialog[open]")
    visitor.run("""
      sessionStorage.setItem('matteline.asked',
        JSON.stringify({ state: 'mine', verifier: 'not the one' }))
    """)
    issuer.codes["code"] = {"code_challenge": "of-another", "redirect_uri": issuer.redirect}
    visitor.driver.get(f"{issuer.redirect}?code=code&state=mine")

    assert visitor.find("dialog[open] [role=alert]", text="did not work")
    assert issuer.paths()[-1] == "/token"
    assert issuer.tokens == {}


def test_a_user_whom_the_issuer_refuses_is_told(visitor: User, issuer: Issuer) -> None:
    issuer.error = "access_denied"
    sign_in(visitor)

    assert visitor.find("dialog[open] [role=alert]", text="did not work")


def test_an_expired_token_is_renewed_unasked(visitor: User, site: Site, issuer: Issuer) -> None:
    sign_in(visitor)
    wait_for_answer(visitor, site)
    first = held(visitor)["access"]
    expire(visitor)
    site.answered.clear()
    visitor.open()
    wait_for_answer(visitor, site)

    assert held(visitor)["access"] != first
    assert set(site.answered) == {200}
    assert issuer.paths().count("/token") == 2


def test_requests_at_once_wait_for_one_renewal(visitor: User, site: Site, issuer: Issuer) -> None:
    issuer.lasts_s = 20  # so short that each request comes too late
    sign_in(visitor)
    wait_for_answer(visitor, site)
    before = issuer.paths().count("/token")
    visitor.run_later("""
      const { ask } = await import('/core/api.js')
      await Promise.all([1, 2, 3, 4].map(() => ask('GET', '/models')))
    """)

    assert issuer.paths().count("/token") == before + 1


def test_a_renewal_that_is_refused_asks_the_user(visitor: User, site: Site, issuer: Issuer) -> None:
    sign_in(visitor)
    wait_for_answer(visitor, site)
    expire(visitor)
    issuer.refuses_renewal = True
    site.answered.clear()
    visitor.open()

    assert visitor.find("dialog[open] [role=alert]", text="has expired")
    assert site.answered == []
    sign_in(visitor)
    wait_for_answer(visitor, site)


def test_a_token_that_the_api_refuses_asks_the_user_and_does_not_loop(
    visitor: User, site: Site, issuer: Issuer
) -> None:
    sign_in(visitor)
    wait_for_answer(visitor, site)
    issuer.tokens.clear()
    site.answered.clear()
    visitor.open()

    assert visitor.find("dialog[open] [role=alert]", text="does not accept")
    assert set(site.answered) == {401}
    assert len(site.answered) <= 2
    sign_in(visitor)
    wait_for_answer(visitor, site)


def test_signing_out_forgets_the_user_here_and_at_the_issuer(
    visitor: User, site: Site, issuer: Issuer
) -> None:
    sign_in(visitor)
    wait_for_answer(visitor, site)
    renewal = held(visitor)["refresh"]
    visitor.button("Settings").click()
    visitor.button("Sign out").click()

    visitor.find("dialog[open]", text="Sign in to use this service")
    assert {"/revoke", "/end"} <= set(issuer.paths())
    assert renewal not in issuer.renewals
    assert visitor.run("return sessionStorage.length") == 0


def test_a_key_is_asked_for_once_and_a_wrong_one_again(guest: User) -> None:
    field = guest.find("dialog[open] input")
    assert field.accessible_name == "The key that you were given"
    field.send_keys("mk_wrong")
    sign_in(guest)
    guest.find("dialog[open] [role=alert]", text="does not accept")
    guest.find("dialog[open] input").send_keys(f" {KEY} ")
    sign_in(guest)
    guest.gone("dialog[open]")
    guest.open()

    guest.button("Settings")
    assert not guest.all("dialog[open]")
    assert held(guest)["access"] == KEY


def test_nothing_is_asked_where_nobody_signs_in(user: User) -> None:
    user.button("Settings").click()

    assert not user.all("dialog[open]")
    assert "Sign out" not in user.find("#settings").text


def test_the_dialogs_break_no_rule_in_either_theme(guest: User) -> None:
    axe = AXE.read_text()  # `make test-page` installs it
    guest.find("dialog[open] input").send_keys("mk_wrong")
    sign_in(guest)
    guest.find("dialog[open] [role=alert]", text="does not accept")
    found = []
    for width in (1280, 320):
        for theme in ("light", "dark"):
            guest.look(theme=theme, width=width)
            found += [f"{width} {theme}: {each}" for each in guest.violations(axe)]

    assert found == []
