"""Names of registries, repositories and images, held against what go-containerregistry and Flux answered."""

from typing import Any

from policies.errors import PolicyError
from policies.images.image_name import (
    DOCKER_HUB,
    ImageName,
    is_private,
    parse_image_repository,
    parse_registry,
    parse_repository,
    scheme,
)
from tests.conformance_data import Conformance

FILES = ("imageref_cases.json",)

_OUTSIDE = {"registry", "repository", "reference"}  # in strict mode


def in_scope(case: dict[str, Any]) -> bool:
    """Flux reads names in weak mode only."""
    return case.get("mode") != "strict"


def test_the_answer_is_that_of_the_original(
    file: str, case: dict[str, Any], conformance: Conformance
) -> None:
    conformance.case(file)

    if case["kind"] in {"private_address", "scheme"}:
        assert _fact(case) == case["want"]
    elif case["want"] == "error":
        assert _parsed(case) is None
    else:
        assert _parsed(case) == _wanted(case)


def test_cases_out_of_scope_are_counted(
    file: str, cases: list[dict[str, Any]], conformance: Conformance
) -> None:
    outside = [case for case in cases if not in_scope(case)]
    conformance.out_of_scope(file, len(outside))

    assert {case["kind"] for case in outside} <= _OUTSIDE


def _fact(case: dict[str, Any]) -> Any:
    """Answer what is asked of the host alone."""
    if case["kind"] == "private_address":
        return is_private(case["input"])
    return scheme(parse_registry(case["input"]), insecure=case.get("insecure", False))


def _wanted(case: dict[str, Any]) -> dict[str, str]:
    """Return the facts that the data names."""
    names = ("string", "canonical", "scheme") if case["kind"] == "image_repository" else case["parsed"]
    facts = case.get("parsed", case)
    return {name: facts[name] for name in names}


def _parsed(case: dict[str, Any]) -> dict[str, str] | None:
    """Return the same facts as we see them, None where the name is refused."""
    text, registry = case["input"], case.get("default_registry", DOCKER_HUB)
    try:
        match case["kind"]:
            case "registry":
                host = parse_registry(text, default=registry)
                return {"registry": host, "scheme": scheme(host)}
            case "repository":
                host, path = parse_repository(text, registry=registry)
                return {"name": f"{host}/{path}", "registry": host, "repository": path}
            case "image_repository":
                name = parse_image_repository(text)
                spoken = scheme(name.registry, insecure=case.get("insecure", False))
                return {"string": name.text, "canonical": name.repository, "scheme": spoken}
            case _:
                return _facts(ImageName.parse(text, registry=registry, tag=case.get("default_tag", "latest")))
    except PolicyError:
        return None


def _facts(name: ImageName) -> dict[str, str]:
    """Return everything that the data knows of a reference."""
    return {
        "identifier": name.identifier,
        "kind": "digest" if name.digest else "tag",
        "name": str(name),
        "registry": name.registry,
        "repository": name.path,
        "scheme": scheme(name.registry),
        "string": name.text,
    }
