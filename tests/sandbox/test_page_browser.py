"""The page in a real browser: what is drawn, what can be pressed, the tour with the real bot, widths, schemes."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from sandbox.levers import KeptBot, Levers
from sandbox.page.server import served
from sandbox.slack.feed import EventKind
from sandbox.world import World, opened

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 20_000.0  # milliseconds
NARROW, WIDE = (420, 820), (1200, 860)

pytestmark = pytest.mark.timeout(300)


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(action: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": plain(action.capitalize()), **more}


def options(*names: str) -> list[dict[str, Any]]:
    return [{"text": plain(name.capitalize()), "value": name} for name in names]


RICH: list[dict[str, Any]] = [
    {
        "type": "rich_text_section",
        "elements": [
            {"type": "text", "text": "bold", "style": {"bold": True}},
            {"type": "text", "text": "struck", "style": {"strike": True, "italic": True}},
            {"type": "user", "user_id": "U0BOB"},
            {"type": "usergroup", "usergroup_id": "S0RELEASE"},
            {"type": "channel", "channel_id": "C0INCIDENTS"},
            {"type": "broadcast", "range": "here"},
            {"type": "emoji", "name": "package"},
            {"type": "date", "timestamp": 1795460000, "format": "{date_num} {time}", "fallback": "then"},
            {"type": "link", "url": "https://example.com/a", "text": "a link"},
            {"type": "link", "url": "javascript:alert(1)", "text": "no link"},
        ],
    },
    {
        "type": "rich_text_list",
        "style": "ordered",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}],
    },
    {"type": "rich_text_quote", "elements": [{"type": "text", "text": "somebody's words"}]},
    {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a  b"}]},
    {"type": "rich_text_cartwheel", "elements": []},
]
EVERYTHING: list[dict[str, Any]] = [
    {"type": "header", "text": plain("A header")},
    {
        "type": "section",
        "text": mrkdwn("*strong* _slanted_ ~gone~ `code` <@U0ADA> <!date^1795460000^{time}^x> &lt;b&gt;"),
        "fields": [mrkdwn("*Left*\n1"), plain("Right")],
        "accessory": {
            "type": "overflow",
            "action_id": "more",
            "options": options("hide", "snooze"),
        },
    },
    {"type": "divider"},
    {
        "type": "context",
        "elements": [mrkdwn("small"), {"type": "image", "image_url": "https://x/y.png", "alt_text": "icon"}],
    },
    {"type": "rich_text", "elements": RICH},
    {
        "type": "markdown",
        "text": "# Title\n- **fat** <img src=x onerror=alert(1)>\n\n[text](https://example.com)",
    },
    {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a graph"},
    {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "head"}], [{"type": "raw_text", "text": "cell"}]],
    },
    {
        "type": "actions",
        "elements": [
            button("approve", style="primary"),
            button(
                "burn",
                style="danger",
                confirm={
                    "title": plain("Sure?"),
                    "text": plain("All."),
                    "confirm": plain("Yes"),
                    "deny": plain("No"),
                },
            ),
            {"type": "static_select", "action_id": "pick", "options": options("red", "green")},
            {"type": "hologram", "action_id": "new"},
        ],
    },
    {"type": "carousel", "elements": []},
]
FORM: dict[str, Any] = {
    "type": "modal",
    "title": plain("A form"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "hint": plain("One line."),
            "element": {"type": "plain_text_input", "action_id": "a", "focus_on_load": True},
        },
        {
            "type": "input",
            "block_id": "where",
            "label": plain("Where"),
            "element": {
                "type": "static_select",
                "action_id": "b",
                "options": options("staging", "production"),
            },
        },
        {
            "type": "input",
            "block_id": "who",
            "label": plain("Who"),
            "optional": True,
            "element": {"type": "multi_users_select", "action_id": "c"},
        },
        {
            "type": "input",
            "block_id": "how",
            "label": plain("How"),
            "optional": True,
            "element": {"type": "checkboxes", "action_id": "d", "options": options("fast", "slow")},
        },
    ],
}


@dataclass(frozen=True)
class Demo:
    """A world with its page at an address."""

    world: World
    address: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("COUNTERSIGN_TEST_REAL") == "1":
            pytest.fail(f"{CHROMIUM} is absent, and COUNTERSIGN_TEST_REAL=1 demands it")
        pytest.skip(f"{CHROMIUM} is absent (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A world in which the bot does not run."""
    folder = tmp_path_factory.mktemp("quiet")
    with opened(folder) as world, KeptBot(world) as bot, served(world, Levers(world, bot)) as address:
        yield Demo(world, address)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Demo]:
    """A world with the real bot in it."""
    with opened(tmp_path) as world, KeptBot(world) as bot, served(world, Levers(world, bot)) as address:
        bot.start()
        yield Demo(world, address)


_CODE = re.compile(r"[A-Z]{4}-[A-Z]{4}")


class Complaints(list[str]):
    """What the browser complained about; refusals of the demo (409) are told to the visitor instead."""

    def hear(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on(
            "console",
            lambda said: self.append(said.text) if said.type == "error" and "409" not in said.text else None,
        )


def visit(
    browser: Browser, demo: Demo, name: str = "ada", size: tuple[int, int] = WIDE, scheme: Any = "light"
) -> tuple[Page, Complaints]:
    """Open the page as somebody, in a window of its own."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, timezone_id="UTC", locale="en-GB"
    )
    context.set_default_timeout(PATIENCE)
    page, complaints = context.new_page(), Complaints()
    complaints.hear(page)
    page.goto(f"{demo.address}?as={name}")
    page.wait_for_selector("body[data-linked=yes]")
    return page, complaints


def be(page: Page, name: str) -> None:
    """Switch to another person, and wait until the page is theirs."""
    page.locator(f"#people label.as-{name}").click()
    expect(page.locator(f"#people label.as-{name} input")).to_be_checked()
    page.wait_for_timeout(300)


# What is drawn


def test_all_blocks_are_drawn_and_what_is_unknown_is_red(browser: Browser, quiet: Demo) -> None:
    quiet.world.slack.workspace.post("C0DEPLOYS", "U0BOT", "everything", EVERYTHING)
    page, complaints = visit(browser, quiet)
    card = page.locator(".message", has_text="A header").last

    expect(card.locator("h3")).to_have_text("A header")
    for tag, text in (("strong", "strong"), ("em", "slanted"), ("s", "gone"), ("code", "code")):
        expect(card.locator(f".section {tag}").first).to_have_text(text)
    expect(card.locator(".section .mention.me")).to_have_text("@Ada")
    expect(card.locator(".section-text > p").first).to_contain_text("<b>")
    mentioned = ["@Bob", "@release-managers", "#incidents", "@here"]
    assert card.locator(".rich .mention").all_inner_texts() == mentioned
    expect(card.locator(".rich time")).to_have_text("2026-11-23 18:53")
    expect(card.get_by_role("link", name="a link")).to_have_attribute("href", "https://example.com/a")
    expect(card.get_by_role("link", name="no link")).to_have_count(0)
    expect(card.locator(".rich ol li")).to_have_text("one")
    expect(card.locator(".rich blockquote")).to_have_text("somebody's words")
    expect(card.locator(".markdown li strong")).to_have_text("fat")
    expect(card.locator(".markdown")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(card.locator("img[src^=http]")).to_have_count(0)
    expect(card.get_by_role("img", name="a graph")).to_be_visible()
    expect(card.locator("td")).to_have_text("cell")
    unknown = card.locator(".unknown")
    assert [re.findall("“(.+)”", one)[0] for one in unknown.all_inner_texts()] == [
        "rich_text_cartwheel", "hologram", "carousel",
    ]  # fmt: skip
    red, green, blue = map(
        int, re.findall(r"\d+", unknown.first.evaluate("one => getComputedStyle(one).color"))[:3]
    )
    assert red > 150 > max(green, blue)
    assert complaints == []
    page.context.close()


def test_edits_happen_in_place_and_a_whisper_is_for_one(browser: Browser, quiet: Demo) -> None:
    workspace = quiet.world.slack.workspace
    page, complaints = visit(browser, quiet)
    bob, _ = visit(browser, quiet, "bob")
    message = workspace.post("C0DEPLOYS", "U0BOT", "as it was")
    expect(page.get_by_text("as it was")).to_be_visible()
    rows = page.locator(".message").count()

    workspace.edit(message, "as it is")
    workspace.whisper("C0DEPLOYS", "U0ADA", "hush")

    expect(page.get_by_text("as it is")).to_be_visible()
    expect(page.locator(".message.whisper", has_text="hush")).to_contain_text("Only visible to you")
    expect(bob.get_by_text("as it is")).to_be_visible()
    expect(bob.get_by_text("hush")).to_have_count(0)
    assert page.locator(".message").count() == rows + 1
    workspace.delete(workspace.message("C0DEPLOYS", message.ts))
    expect(page.get_by_text("as it is")).to_have_count(0)
    assert complaints == []
    for one in (page, bob):
        one.context.close()


def test_a_confirm_dialog_stands_before_the_click(browser: Browser, quiet: Demo) -> None:
    workspace = quiet.world.slack.workspace
    workspace.post("C0DEPLOYS", "U0BOT", "confirm", EVERYTHING[8:9])
    page, _ = visit(browser, quiet)

    def clicks() -> int:
        return sum(one.kind is EventKind.CLICKED for one in workspace.events())

    before = clicks()
    burn = page.get_by_role("button", name="Burn").last
    burn.click()
    page.get_by_role("dialog").get_by_role("button", name="No").click()
    assert clicks() == before
    burn.click()
    with page.expect_response("**/act/click"):
        page.keyboard.press("Enter")  # yes has the focus
    assert clicks() == before + 1
    expect(page.get_by_text("did not answer").first).to_be_visible()
    page.context.close()


def test_a_modal_is_filled_in_refused_changed_and_closed(browser: Browser, quiet: Demo) -> None:
    workspace = quiet.world.slack.workspace
    page, complaints = visit(browser, quiet, "carol")
    view = workspace.views.open("U0CAROL", FORM)
    dialog = page.get_by_role("dialog")

    expect(dialog.get_by_label("Why")).to_be_focused()
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_text("'Why' has to be filled in")).to_be_visible()
    dialog.get_by_label("Why").fill("because")
    dialog.get_by_label("Where").select_option("production")
    dialog.get_by_label("Who").select_option(["U0BOB", "U0DAN"])
    dialog.get_by_label("Fast").check()
    with page.expect_response("**/act/submit") as sent:
        dialog.get_by_role("button", name="Send").click()
    assert (sent.value.request.post_data_json or {})["values"] == {
        "why": "because", "where": "production", "who": ["U0BOB", "U0DAN"], "how": ["fast"],
    }  # fmt: skip

    workspace.feed.add(
        EventKind.VIEW_REFUSED, "U0CAROL", view=view, text='{"where": "not there"}', only_for="U0CAROL"
    )
    expect(dialog.get_by_text("not there")).to_be_visible()
    expect(dialog.get_by_label("Where")).to_have_attribute("aria-invalid", "true")
    workspace.views.update({**FORM, "title": plain("Another")}, view=view.id)
    expect(dialog.get_by_role("heading")).to_have_text("Another")
    expect(dialog.get_by_label("Why")).to_have_value("because")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert workspace.views.stack("U0CAROL") == ()
    assert complaints == []
    page.context.close()


def test_app_home_shows_what_is_published_or_says_that_nothing_is(browser: Browser, quiet: Demo) -> None:
    page, _ = visit(browser, quiet, "dan")
    page.get_by_role("button", name="Countersign Home").click()
    expect(page.get_by_text("publishes nothing here yet")).to_be_visible()

    home = {"type": "home", "blocks": [{"type": "header", "text": plain("Good morning")}]}
    quiet.world.slack.workspace.views.publish("U0DAN", home)

    expect(page.get_by_role("heading", name="Good morning")).to_be_visible()
    page.context.close()


def test_a_thread_hangs_below_its_message_and_takes_replies(browser: Browser, quiet: Demo) -> None:
    workspace = quiet.world.slack.workspace
    root = workspace.post("C0INCIDENTS", "U0BOT", "the root")
    workspace.post("C0INCIDENTS", "U0BOB", "a reply", thread_ts=root.ts)
    page, _ = visit(browser, quiet)
    page.locator(".room", has_text="incidents").click()

    page.get_by_role("button", name="1 reply").click()
    expect(page.get_by_text("a reply")).to_be_visible()
    page.get_by_label("Reply in the thread").fill("another")
    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="2 replies")).to_be_visible()
    expect(page.locator(".opened").get_by_text("another")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_nothing_sticks_out_and_text_can_be_read(
    browser: Browser, quiet: Demo, size: tuple[int, int], scheme: str
) -> None:
    quiet.world.slack.workspace.post("C0DEPLOYS", "U0BOT", "wide " + "w" * 300, [])
    page, complaints = visit(browser, quiet, size=size, scheme=scheme)
    panes = ("Slack", "Record", "Levers") if size == NARROW else ("",)

    for pane in panes:
        if pane:
            page.get_by_role("button", name=pane, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.evaluate(_PALE) == []
        assert page.evaluate(_NAMELESS) == []
    page.evaluate("document.querySelector('#link').textContent = 'pale'")
    page.evaluate(
        "document.querySelector('#link').style.color = getComputedStyle(document.body).backgroundColor"
    )
    assert len(page.evaluate(_PALE)) == 1  # the check can fail
    assert complaints == []
    page.context.close()


# With the bot


def test_the_tour_is_walked_with_the_keyboard_and_the_mouse(browser: Browser, live: Demo) -> None:
    page, complaints = visit(browser, live)
    current = page.locator(".steps .current")
    expect(current).to_have_text("Push a version")
    page.get_by_role("button", name="Push a patch").click()
    expect(current).to_have_text("Ask for production", timeout=PATIENCE)

    page.get_by_role("button", name="Be Carol").click()
    page.locator(".press[data-action=promote]").click(timeout=PATIENCE)
    expect(current).to_have_text("Approve, twice", timeout=PATIENCE)
    expect(page.locator(".message.whisper").last).to_contain_text("You asked for", timeout=PATIENCE)
    page.get_by_role("tab", name="Pull request").click()
    expect(page.locator(".diff .added")).to_contain_text("1.4.2@sha256:", timeout=PATIENCE)

    for name in ("ada", "bob"):
        be(page, name)
        page.locator(".press[data-action=approve]").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text("Approve for production?")
        page.keyboard.press("Enter")
        expect(page.locator(".message.whisper").last).to_contain_text("is recorded", timeout=PATIENCE)
    expect(current).to_have_text("Read the record", timeout=PATIENCE)
    expect(page.locator(".badge.merged")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".press[data-action=approve]")).to_have_count(0)

    page.get_by_role("tab", name="Git log").click()
    page.locator(".commit").first.locator("dt", has_text="Approved-By").first.wait_for()
    page.locator(".commit .pointer").first.click()
    expect(page.locator(".json")).to_contain_text('"kind": "intent"')
    expect(current).to_have_text("Go back")

    page.get_by_role("button", name="Type it for me").click()
    page.keyboard.press("Enter")
    expect(page.get_by_text("That was the tour.")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".kind", has_text="rollback").first).to_be_visible()
    assert complaints == []
    page.context.close()


def test_a_version_is_asked_for_in_the_form_and_approved_in_the_home(browser: Browser, live: Demo) -> None:
    page, complaints = visit(browser, live, "carol")
    page.get_by_role("button", name="Push a patch").click()
    page.locator(".press[data-action=promote]").wait_for(timeout=PATIENCE)

    card = page.locator(".thread", has=page.locator(".press[data-action=promote]"))
    card.hover()
    card.get_by_role("button", name="Promote this").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Service")).to_have_value("checkout-api", timeout=PATIENCE)
    expect(dialog.get_by_label("Version")).to_have_value("1.4.2")
    page.keyboard.press("Escape")
    page.get_by_label("Message to #deploys").fill("/promote")
    page.keyboard.press("Enter")
    dialog.get_by_label("Service").select_option("checkout-api")
    dialog.get_by_label("Version").fill("1.4.2 or so")
    dialog.get_by_label("Why?").fill("customers wait")
    dialog.get_by_role("button", name="Ask").click()
    expect(dialog.get_by_text("That is no version")).to_be_visible(timeout=PATIENCE)
    dialog.get_by_label("Version").fill("")
    dialog.get_by_role("button", name="Ask").click()
    expect(page.locator(".message.whisper").last).to_contain_text("You asked for", timeout=PATIENCE)

    be(page, "ada")
    page.get_by_role("button", name="Countersign Home").click()
    home = page.locator(".home-view")
    expect(home).to_contain_text("checkout-api 1.4.1 \u2192 1.4.2 in production", timeout=PATIENCE)
    assert home.locator(".unknown").count() == 0
    home.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(home).to_contain_text("Nothing waits for your approval.", timeout=PATIENCE)
    assert page.evaluate(_PALE) == []
    assert complaints == []
    page.context.close()


def test_levers_are_seen_to_move_the_world(browser: Browser, live: Demo) -> None:
    page, complaints = visit(browser, live, "bob")
    levers = page.get_by_label("Levers", exact=True)

    levers.get_by_role("button", name="minor 1.5.0").click()
    expect(levers.get_by_role("button", name="Move 1.5.0")).to_be_visible()
    expect(page.locator(".message", has_text="can be asked for in production")).to_be_visible(
        timeout=PATIENCE
    )
    levers.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.locator(".typed")).to_contain_text("/promote freeze production because")
    expect(page.get_by_text("You froze production")).to_be_visible(timeout=PATIENCE)
    levers.get_by_role("button", name="Commit by hand").click()
    expect(page.locator(".subject", has_text="Set checkout-api to 1.5.0 in production")).to_be_visible()
    expect(page.get_by_text("Somebody moved checkout-api")).to_be_visible(timeout=PATIENCE)
    levers.get_by_role("button", name="Break").click()
    expect(page.locator(".badge.failure")).to_have_text("production: failure")

    levers.get_by_role("button", name="Stop").click()
    expect(page.locator(".bot-state")).to_have_text("stopped", timeout=PATIENCE)
    page.get_by_label("Message to #deploys").fill("/promote status")
    page.keyboard.press("Enter")
    expect(page.get_by_text('failed with the error "dispatch_failed"')).to_be_visible()
    unanswered: list[Route] = []
    page.route("**/act/bot", lambda route: unanswered.append(route), times=1)  # noqa: PLW0108  its signature counts
    levers.get_by_role("button", name="Wipe its disk").click()
    expect(levers.get_by_role("button", name="Start")).to_be_disabled()  # one thing at a time
    unanswered[0].continue_()
    levers.get_by_role("button", name="Start").click()
    expect(page.locator(".bot-state")).to_have_text("runs", timeout=PATIENCE)
    page.get_by_label("Message to #deploys").fill("/promote pending")
    page.keyboard.press("Enter")
    expect(page.locator(".message.whisper").last).not_to_contain_text("dispatch_failed", timeout=PATIENCE)
    assert complaints == []
    page.context.close()


def test_an_account_is_linked_with_a_code_and_the_lever_for_it(browser: Browser, live: Demo) -> None:
    page, complaints = visit(browser, live, "bob")
    levers = page.get_by_label("Levers", exact=True)
    page.get_by_label("Message to #deploys").fill("/promote link")
    page.keyboard.press("Enter")
    whisper = page.locator(".message.whisper").last
    expect(whisper).to_contain_text(_CODE, timeout=PATIENCE)
    code = _CODE.findall(whisper.inner_text())[0]

    levers.get_by_label("Code that /promote link gave").fill("WRNG-CODE")
    levers.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("is no code that waits")).to_be_visible()
    levers.get_by_label("Code that /promote link gave").fill(code)
    page.keyboard.press("Enter")
    levers.get_by_label("Account at the forge").select_option("bob")
    levers.get_by_role("button", name="Authorize").click()

    expect(page.get_by_text("You are linked: bob is bob in GitHub.")).to_be_visible(timeout=PATIENCE)
    assert complaints == []
    page.context.close()


# Text whose contrast with what lies behind it is under 4.5 (WCAG 2.2, 1.4.3); what is disabled is exempt.
_PALE = """() => {
  const channels = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility({ opacityProperty: true }) || one.closest(":disabled, .toast, .hidden")) continue;
    const [a, b] = [light(channels(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`${one.className || one.localName}: ${one.textContent.slice(0, 30)}`);
  }
  return found;
}"""
# Controls that a reader of screens could not name.
_NAMELESS = """() => [...document.querySelectorAll("button, input, select, textarea")]
  .filter((one) => one.checkVisibility() && !one.textContent.trim() && !one.ariaLabel && !one.labels?.length)
  .map((one) => one.outerHTML.slice(0, 80))"""
