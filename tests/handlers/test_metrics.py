"""The measures: counted by several threads, shown as Prometheus reads them, and never more labels than planned."""

import http.client
import re
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from bot.measures import MAX_LABELS, OTHER, Kind, Measure, Measures
from handlers.metrics import CONTENT_TYPE, Standing, metrics, page
from sandbox.http import serve

# Prometheus, "Exposition formats": the lines of the text format.
HELP = re.compile(r"# HELP ([a-z_]+) \S.*")
TYPE = re.compile(r"# TYPE ([a-z_]+) (counter|gauge|summary)")
SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"\})? (-?[0-9]+(?:\.[0-9]+)?)')


def samples(text: str) -> dict[tuple[str, str], float]:
    """Read a page, line by line, as strictly as a scraper."""
    found: dict[tuple[str, str], float] = {}
    family = ""
    lines = text.split("\n")
    assert lines.pop() == ""
    for line in lines:
        if said := HELP.fullmatch(line):
            family = said[1]
        elif kind := TYPE.fullmatch(line):
            assert kind[1] == family
        else:
            one = SAMPLE.fullmatch(line)
            assert one is not None, line
            assert one[1].removesuffix("_sum").removesuffix("_count") == family
            assert (one[1], one[3] or "") not in found
            found[one[1], one[3] or ""] = float(one[4])
    return found


def asked(stands: Callable[[], Standing], measures: Measures) -> tuple[int, str, str]:
    with serve(Starlette(routes=[metrics(stands, measures)])) as url:
        where = urlsplit(url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        told = answer.status, answer.getheader("content-type", ""), answer.read().decode()
        connection.close()
        return told


def test_everything_is_there_from_the_first_moment() -> None:
    found = samples(page(Measures(), Standing()))

    unlabelled = {one for one in Measure if not one.label and one.kind is not Kind.SUMMARY}
    assert {(str(one), "") for one in unlabelled} <= found.keys()
    assert found["countersign_ledger_append_seconds_count", ""] == 0
    assert found["countersign_ledger_writable", ""] == 0
    assert ("countersign_pass_age_seconds", "") not in found


def test_what_was_counted_is_told() -> None:
    measures = Measures()
    measures.count(Measure.PASSES)
    measures.count(Measure.PASSES)
    measures.count(Measure.REGISTRY_REQUESTS, "ghcr.io", by=3)
    measures.count(Measure.REGISTRY_REQUESTS, "localhost:5000")
    measures.count(Measure.PUSHES, "lost")
    measures.put(Measure.CARDS_BEHIND, 4)
    measures.put(Measure.CARDS_BEHIND, 2)
    measures.observe(Measure.APPEND_SECONDS, 0.25)
    measures.observe(Measure.APPEND_SECONDS, 0.5)

    status, kind, text = asked(
        lambda: Standing(12.5, is_writable=True, promotions={"open": 2, "landed": 7}), measures
    )

    found = samples(text)
    assert (status, kind) == (200, CONTENT_TYPE)
    assert found["countersign_passes_total", ""] == 2
    assert found["countersign_registry_requests_total", "ghcr.io"] == 3
    assert found["countersign_registry_requests_total", "localhost:5000"] == 1
    assert found["countersign_pushes_total", "lost"] == 1
    assert found["countersign_cards_behind", ""] == 2
    assert found["countersign_ledger_append_seconds_sum", ""] == 0.75
    assert found["countersign_ledger_append_seconds_count", ""] == 2
    assert found["countersign_pass_age_seconds", ""] == 12.5
    assert found["countersign_ledger_writable", ""] == 1
    assert (found["countersign_promotions", "open"], found["countersign_promotions", "landed"]) == (2, 7)


@pytest.mark.parametrize("label", ['a"b', "a\\b", "a\nb", "é", 'x"} 1\n# TYPE evil counter'])
def test_a_label_forges_no_line(label: str) -> None:
    measures = Measures()
    measures.count(Measure.REGISTRY_REQUESTS, label)

    found = samples(page(measures, Standing()))

    assert len([name for name, _ in found if name == "countersign_registry_requests_total"]) == 1


def test_labels_are_bounded() -> None:
    measures = Measures()
    for number in range(MAX_LABELS + 50):
        measures.count(Measure.REGISTRY_REQUESTS, f"host-{number}")

    hosts = measures.taken()[Measure.REGISTRY_REQUESTS]
    assert len(hosts) == MAX_LABELS + 1
    assert hosts[OTHER] == 50


def test_threads_lose_no_count() -> None:
    measures = Measures()

    def work() -> None:
        for _ in range(2000):
            measures.count(Measure.PASSES)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert measures.taken()[Measure.PASSES][""] == 16_000


def test_a_standing_that_cannot_be_told_is_an_error_and_the_door_stays_open() -> None:
    calls: list[int] = []

    def fails() -> Standing:
        calls.append(1)
        raise KeyError("state")

    assert asked(fails, Measures())[::2] == (500, "")
    assert asked(fails, Measures())[::2] == (500, "")
    assert len(calls) == 2


def test_names_follow_the_conventions() -> None:
    for one in Measure:
        assert str(one).startswith("countersign_")
        assert str(one).endswith("_total") == (one.kind is Kind.COUNTER)
        assert one.says.endswith(".")
