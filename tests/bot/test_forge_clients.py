"""Look-ups at the forge go side by side: one that hangs keeps nobody else from theirs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import SettingsError
from bot.forge.client import Client, ErrorAnswerError, Manner
from sandbox.http import endpoint, serve

PATIENT = Manner(timeout=30, between_writes=0, between_looks=0)


@contextmanager
def forge(let_go: Event) -> Iterator[str]:
    """Run a forge that keeps one address waiting, names who asks at another, and knows nothing else."""

    def hanging(_request: Request, _body: bytes) -> Response:
        let_go.wait(30)
        return JSONResponse({"late": True})

    def named(request: Request, _body: bytes) -> Response:
        return JSONResponse({"as": request.headers.get("authorization", "")})

    routes = [Route("/hanging", endpoint(hanging)), Route("/named", endpoint(named))]
    with serve(Starlette(routes=routes), name="localhost") as url:
        try:
            yield url
        finally:
            let_go.set()


def test_one_that_hangs_keeps_nobody_else() -> None:
    let_go = Event()
    with forge(let_go) as url, ThreadPoolExecutor() as threads:
        client = Client(url, PATIENT, most=4)
        late = [threads.submit(client.send, "GET", "/hanging", "a") for _ in range(3)]
        assert client.send("GET", "/named", "b")["as"] == "Bearer b"
        assert not any(one.done() for one in late)
        let_go.set()
        assert all(one.result(30)["late"] for one in late)
        client.close()


def test_each_asks_as_who_it_was_told_to_be() -> None:
    together = Barrier(8)
    with forge(Event()) as url, ThreadPoolExecutor(8) as threads:
        client = Client(url, PATIENT, most=3)

        def ask(token: str) -> list[object]:
            together.wait(30)
            return [client.send("GET", "/named", token)["as"] for _ in range(5)]

        tokens = [f"t{number}" for number in range(8)]
        assert list(threads.map(ask, tokens)) == [[f"Bearer {one}"] * 5 for one in tokens]
        client.close()


def test_a_client_is_there_again_after_an_error() -> None:
    with forge(Event()) as url:
        client = Client(url, PATIENT)
        for _ in range(3):
            with pytest.raises(ErrorAnswerError):
                client.send("GET", "/nothing", "")
        assert client.send("GET", "/named", "")["as"] == ""
        client.close()


def test_an_address_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(SettingsError):
        Client("noise", PATIENT, most=4)
