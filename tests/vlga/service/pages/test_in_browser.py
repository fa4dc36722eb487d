"""The pages in a real browser, driven by mouse and keyboard, over a real service."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from db.read.folder import files_folder
from db.service.access import Access
from db.service.queue import SqlQueue
from db.store import SqlStore
from tests.support.browser import CHROMIUM
from tests.support.forked import spawner
from tests.support.records import record
from tests.support.waiting import until
from tests.vlga.service.pages.conftest import fill
from vlga.config.load import load_config
from vlga.ports.queue import Wish
from vlga.service import child, control
from vlga.service.app import create_app
from vlga.service.child import log_file
from vlga.service.context import Options, Service
from vlga.service.supervisor import Supervisor

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium"
)

#: A search whose trainings take a moment, and that does not end by itself within a test.
TINY = (
    "strategy=random_search", "data.train_limit=100", "training.epochs=1", "training.batch_size=32",
    "limits.max_macs=200000", "budget.seconds=none", "budget.evaluations=2000",
    "population.founders=[]", "final.epochs=1",
)  # fmt: skip
PAGES = (
    "/", "/new", "/new?like=tiny", "/s/digits-1", "/s/waiting", "/s/empty", "/s/digits-1/5",
    "/s/digits-1/4", "/compare?search=digits-1&search=tiny", "/compare", "/s/nobody", "/login",
    "/s/digits-1/failures", "/s/digits-1/mistakes", "/s/digits-1/figures/best/table",
)  # fmt: skip
#: What depends on colours; all other rules of axe hold or do not whatever the theme is.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
#: Whether a page fits into the window, and its charts are drawn, on its background.
IS_SETTLED = """document.documentElement.scrollWidth <= innerWidth
    && [...document.querySelectorAll('[data-figure]')].every((one) =>
        !one.checkVisibility() || !one.textContent.includes('Loading'))
    && [...document.querySelectorAll('.js-plotly-plot .main-svg:first-child')].every((one) =>
        one.style.background === getComputedStyle(document.body).backgroundColor)"""
#: What is folded away, but for what opens on top of the page.
OPEN_ALL = """document.querySelectorAll('details:not(:has(> .button))').forEach(
    (one) => (one.open = true))"""
#: A real training is waited for: on a busy machine that may take long.
PATIENCE = 120_000


@dataclass
class Served:
    """A service that runs, and its token."""

    address: str
    token: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, processes: Any) -> Iterator[Served]:
    """A service with the searches of `conftest.fill` and `tiny`, which trains in its drivers."""
    patch = pytest.MonkeyPatch()
    patch.setattr(child, "_spawn", spawner(processes))
    folder: Path = tmp_path_factory.mktemp("served")
    url = f"sqlite:///{folder}/vlga.db"
    store = SqlStore(url)
    fill(store)
    # What a dry run says is made by a process that loads torch; it has tests of its own.
    patch.setattr(control, "resolved", lambda one: {"said": [f"{one.data.name} can be searched"]})
    file = files_folder(store.engine) / "digits-1" / "10.pt"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    config = load_config(settings=TINY)
    store.create_search(replace(record("tiny"), config=config, status="completed"))
    queue = SqlQueue(store.engine)
    queue.change("waiting", "anna", "paused", wanted=Wish.PAUSE, is_settled=True)
    access = Access(store.engine)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    supervisor = Supervisor(url, inline=True, stop_searches=True)
    service = Service(
        store.engine,
        queue,
        access,
        options=Options(port=port, poll_seconds=0.2),
        supervisor=supervisor,
        logs=log_file(store.engine, "any").parent,
    )
    app = create_app(service)
    settings = uvicorn.Config(app, port=port, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, 60)
    supervisor.start()
    try:
        yield Served(f"http://127.0.0.1:{port}", access.create("anna", "write"))
    finally:
        supervisor.close()
        app.state.live.close()
        server.should_exit = True
        thread.join()
        store.engine.dispose()
        patch.undo()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Tab:
    """A tab of a browser that has signed in, and what its console said."""

    page: Page
    served: Served
    console: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page of the service."""
        self.page.goto(f"{self.served.address}{path}")


@contextmanager
def signed_in(browser: Browser, served: Served, **options: Any) -> Iterator[Tab]:
    """Give a tab that signed in by the address that the service prints."""
    context = browser.new_context(**options)
    tab = Tab(context.new_page(), served)
    tab.page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    tab.page.on("console", lambda one: tab.console.append(f"{one.type}: {one.text}"))
    tab.page.on("pageerror", lambda one: tab.console.append(str(one)))
    tab.open(f"/?token={served.token}")
    yield tab
    context.close()


@pytest.fixture
def tab(browser: Browser, served: Served) -> Iterator[Tab]:
    with signed_in(browser, served) as tab:
        yield tab


@pytest.fixture(scope="module")
def visitor(browser: Browser, served: Served) -> Iterator[Tab]:
    """A tab that goes from page to page."""
    with signed_in(browser, served) as tab:
        yield tab


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_for_everybody(visitor: Tab, path: str):
    """On a phone and a desk, dark and light: no axe violation, nothing wider than the window.

    And no word on the console.
    """
    page = visitor.page
    visitor.console.clear()
    page.set_viewport_size({"width": 360, "height": 900})
    page.emulate_media(color_scheme="dark")
    visitor.open(path)
    page.evaluate(Axe().axe_script)
    for width, scheme, rules in (
        (360, "dark", {}),
        (360, "light", COLOURS),
        (1280, "light", {}),
        (1280, "dark", COLOURS),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for figure in page.locator("[data-figure]:visible").all():
            figure.scroll_into_view_if_needed()
        page.evaluate(OPEN_ALL)
        until(lambda: page.evaluate(IS_SETTLED), 20, f"{path} at {width} px, {scheme}")
        found = page.evaluate("(rules) => axe.run(document, rules)", rules)["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (width, scheme)
    # Chromium itself says that a page was not found.
    assert [one for one in visitor.console if "404" not in one] == []


def test_signing_in_by_keyboard(browser: Browser, served: Served):
    """A wrong token is refused in a line; the right one leads where one wanted to go."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.address}/s/digits-1")
    expect(page).to_have_title("Sign in · vlga")
    page.keyboard.type("vlga_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.keyboard.type(served.token)
    page.keyboard.press("Enter")
    expect(page).to_have_title("completed: digits-1")
    context.close()


def _press_tab_until(page: Page, name: str) -> None:
    """Press the tab key until what has the focus has this name."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"no way by keyboard to {name!r}")


def test_a_search_from_its_start_to_its_end(tab: Tab):
    """Started by keyboard alone; watched, paused, resumed, stopped and deleted, without reload."""
    page = tab.page
    tab.open("/s/tiny")
    _press_tab_until(page, "New like this")
    page.keyboard.press("Enter")
    expect(page).to_have_title("New search · vlga")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("mine")
    page.keyboard.press("Enter")
    page.wait_for_url("**/s/mine")
    page.evaluate("window.isTheSame = true")
    assert page.locator("[data-figure]:visible").count() == 0

    expect(page.locator("#best")).to_contain_text("validation accuracy")
    expect(page.locator("[data-figure$=best] .main-svg").first).to_be_visible()
    expect(page.locator("h1 .state")).to_have_text("running")
    expect(page).to_have_title(re.compile(r"^\d+ % mine$"))
    n_before = int(re.search(r"([\d,]+) completed", page.locator("#best").inner_text())[1])
    expect(page.locator("#best")).not_to_contain_text(f"{n_before} completed")
    assert page.evaluate("window.isTheSame")

    page.get_by_role("button", name="Pause").click()
    expect(page.locator("h1 .state")).to_have_text("paused")
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator("h1 .state")).to_have_text("running")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("h1 .state")).to_have_text("stopped")
    expect(page.locator("#history")).to_contain_text("anna")
    page.locator("#delete summary").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url(f"{tab.served.address}/")
    expect(page.locator("#list")).not_to_contain_text("mine")
    assert tab.console == []


def test_searches_are_compared_and_a_winner_is_taken_home(tab: Tab):
    """By mouse: two are ticked and compared; the winner comes as a file."""
    page = tab.page
    tab.open("/")
    page.get_by_label("Choose digits-1").check()
    page.get_by_label("Choose tiny").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("table").first).to_contain_text("digits-1")
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    page.get_by_role("link", name="digits-1").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the winner").click()
    assert Path(download.value.path()).read_bytes() == b"weights"
    assert tab.console == []


def test_a_point_of_a_chart_opens_its_network(tab: Tab):
    """By a click on it."""
    tab.open("/s/digits-1")
    figure = tab.page.locator("[data-figure$=size]")
    figure.scroll_into_view_if_needed()
    point = figure.locator(".scatterlayer .trace").first.locator("path.point").first
    point.click(force=True)
    tab.page.wait_for_url(re.compile(r"/s/digits-1/\d+$"))
    assert tab.console == []


def test_a_mistake_is_shown_beside_its_field_while_typing(tab: Tab):
    """And is gone once it is put right."""
    page = tab.page
    tab.open("/new")
    data = page.get_by_label("Data", exact=True).first
    data.fill("digitz")
    problem = page.locator("[id='problem-data.name']")
    expect(problem).to_contain_text("digitz")
    expect(data).to_have_attribute("aria-invalid", "true")
    data.fill("digits")
    expect(problem).to_be_empty()
    expect(page.locator("#check")).to_contain_text("digits can be searched")
    assert tab.console == []
