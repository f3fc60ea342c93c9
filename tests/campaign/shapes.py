"""Rules of several shapes: what a world asks before production moves. They are written before anybody looks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.http import serve
from tests.campaign.acts import GROUP, SERVICES, US, Acts
from tests.campaign.sweep import atomic

LABEL = {"team": "shop"}


@dataclass
class Window:
    """A page that says whether deploys are open."""

    address: str = ""
    state: str = "open"

    async def answer(self, _request: Request) -> Response:
        """Say it."""
        return PlainTextResponse(self.state)


@contextmanager
def window() -> Iterator[Window]:
    """Serve a window."""
    found = Window()
    with serve(Starlette(routes=[Route("/{rest:path}", found.answer)]), name="localhost") as address:
        found.address = address
        yield found


def _plain(text: str, _acts: Acts, _window: Window) -> str:
    return text


def _waits(text: str, acts: Acts, window: Window) -> str:
    """Ask for two hours in staging, an open window, and a label on the image."""
    acts.labels = LABEL
    gates = f"[{{http: {{url: {window.address}/<service>, is: open}}}}, {{labels: {{has: [team=shop]}}}}]"
    assert "    soak: 2s\n" in text
    return text.replace("    soak: 2s\n", f"    soak: 2h\n    gates: {gates}\n")


def _commit(text: str, _acts: Acts, _window: Window) -> str:
    """Let what people approve be pushed as a commit, without a pull request."""
    assert "    soak: 2s\n" in text
    return text.replace("    soak: 2s\n", "    soak: 2s\n    via: commit\n")


def _regions(text: str, acts: Acts, _window: Window) -> str:
    """Let what people approve in production go on to a second region by itself."""
    git = acts.office.world.git
    names = git.text("ls-tree", "-r", "--name-only", "main", "apps/production").split()
    files: dict[str, str | None] = {
        name.replace("production", US, 1): git.text("show", f"main:{name}") + "\n" for name in names
    }
    acts.commit(files, "Add a region\n")
    keys = "after: production, channel: deploys, interval: 1s, approvals: as production"
    region = f"  {US}: {{path: apps/{US}, {keys}}}\n"
    return text.replace("services:\n", f"{region}services:\n")


def _by_hand(text: str, acts: Acts, _window: Window) -> str:
    """Let people merge what is cleared, where the forge asks for our check."""
    assert "    soak: 2s\n" in text
    acts.office.world.forge.require_checks(["countersign"])
    return text.replace("    soak: 2s\n", "    soak: 2s\n    merges: by-hand\n")


def _group(text: str, acts: Acts, _window: Window) -> str:
    """Let both services move together or not at all."""
    acts.group = GROUP
    return text.replace("services:\n", f"groups: {{{GROUP}: [{', '.join(SERVICES)}]}}\nservices:\n", 1)


SHAPES: Mapping[str, Callable[[str, Acts, Window], str]] = {
    "plain": _plain,
    "waits": _waits,
    "atomic": lambda text, _acts, _window: atomic(text),
    "commit": _commit,
    "regions": _regions,
    "by hand": _by_hand,
    "group": _group,
}


def shape(name: str, acts: Acts, window: Window) -> None:
    """Give a world rules of a shape, and let two people call emergencies."""
    acts.let_emergencies_be()
    acts.edit_rules(lambda text: SHAPES[name](text, acts, window))
