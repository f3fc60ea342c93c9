"""GET /metrics: what was counted, and how the bot stands now, as Prometheus reads it (text format 0.0.4)."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.measures import MEASURES, Kind, Measures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the bot stands: seconds since a pass last ended well (``None``: never), and what is under way.

    ``pushes`` of the last minute; ``waiting``: entries that the pace holds back.
    """

    pass_age: float | None = None
    is_writable: bool = False
    promotions: Mapping[str, int] = field(default_factory=dict)
    pushes: int = 0
    waiting: int = 0


def metrics(stands: Callable[[], Standing], measures: Measures = MEASURES) -> Route:
    """Return the route."""

    async def answer(_request: Request) -> Response:
        return await run_in_threadpool(_answer, stands, measures)

    return Route("/metrics", answer, methods=["GET"])


def _answer(stands: Callable[[], Standing], measures: Measures) -> Response:
    try:
        text = page(measures, stands())
    except Exception:  # noqa: BLE001  a scrape that fails is seen by who scrapes; the door stays open
        _LOG.exception("the measures could not be told")
        return PlainTextResponse("", 500)
    return PlainTextResponse(text, headers={"content-type": CONTENT_TYPE})


def page(measures: Measures, standing: Standing) -> str:
    """Write all measures, one sample a line."""
    return "".join(f"{line}\n" for line in (*_counted(measures), *_standing(standing)))


def _counted(measures: Measures) -> Iterator[str]:
    for measure, values in measures.taken().items():
        yield from _head(measure, measure.kind, measure.says)
        if measure.kind is Kind.SUMMARY:
            yield f"{measure}_sum {_number(values[''])}"
            yield f"{measure}_count {measures.times(measure)}"
            continue
        for label, value in sorted(values.items()):
            yield _sample(measure, measure.label, label, value)


def _standing(standing: Standing) -> Iterator[str]:
    name = "countersign_pass_age_seconds"
    yield from _head(name, Kind.GAUGE, "Since a pass last ended well.")
    if standing.pass_age is not None:
        yield _sample(name, "", "", standing.pass_age)
    name = "countersign_ledger_writable"
    yield from _head(name, Kind.GAUGE, "1 where the last pass could write to the ledger.")
    yield _sample(name, "", "", float(standing.is_writable))
    name = "countersign_pushes_per_minute"
    yield from _head(name, Kind.GAUGE, "Pushes to the repository in the last minute.")
    yield _sample(name, "", "", standing.pushes)
    name = "countersign_entries_waiting"
    yield from _head(name, Kind.GAUGE, "Entries of the bot's own that wait, so as to go together.")
    yield _sample(name, "", "", standing.waiting)
    name = "countersign_promotions"
    yield from _head(name, Kind.GAUGE, "Promotions of this year's ledger, by how far they are.")
    for stage, count in sorted(standing.promotions.items()):
        yield _sample(name, "stage", stage, count)


def _head(name: str, kind: Kind, says: str) -> tuple[str, str]:
    return f"# HELP {name} {says}", f"# TYPE {name} {kind}"


def _sample(name: str, label: str, value: str, number: float) -> str:
    return (
        f'{name}{{{label}="{_escaped(value)}"}} {_number(number)}' if label else f"{name} {_number(number)}"
    )


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"
