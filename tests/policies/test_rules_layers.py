"""Laws of layering: which text wins, whatever the files are called and in which order things are said."""

import random
from collections.abc import Mapping
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from policies.rulebook.parse import RulesError, parse
from policies.rules.rules import Layer, Rules, effective
from tests.policies.twelve_services import FILES, encoded

# key -> values that differ from the built-in one and from each other
VALUES = {
    "soak": ["1h", "2h", "3h", "4h"],
    "expire": ["1h", "2h", "3h", "4h"],
    "age": ["1d", "2d", "3d", "4d"],
}
LAYERS = ["like", "like-exception", "own", "own-exception"]


def _text(said: Mapping[str, Mapping[str, str]]) -> str:
    """Write two environments, of which one is like the other, with what each layer says."""

    def keys(layer: str) -> str:
        return ", ".join(f"{key}: {value}" for key, value in said.get(layer, {}).items())

    def exception(layer: str) -> str:
        return f", exceptions: {{web: {{{keys(layer)}}}}}" if said.get(layer) else ""

    def more(layer: str) -> str:
        return f", {keys(layer)}" if said.get(layer) else ""

    return (
        f"environments:\n  first: {{path: f, channel: c, approvals: 1{more('like')}{exception('like-exception')}}}\n"
        f"  second: {{like: first, path: s, after: first{more('own')}{exception('own-exception')}}}\n"
        "services: {web: {image: a.io/web, versions: 1.x}, api: {image: a.io/api, versions: 1.x}}\n"
    )


@st.composite
def layers(draw: st.DrawFn) -> dict[str, dict[str, str]]:
    return {
        layer: {key: values[index] for key, values in VALUES.items() if draw(st.booleans())}
        for index, layer in enumerate(LAYERS)
    }


@given(layers())
def test_the_last_layer_that_says_a_key_wins(said: dict[str, dict[str, str]]) -> None:
    rules = parse({"p.yaml": _text(said).encode()})
    built_in = parse({"p.yaml": _text({}).encode()})

    for service, counted in (("web", LAYERS), ("api", ["like", "own"])):
        for key in VALUES:
            winner = next((layer for layer in reversed(counted) if key in said[layer]), "")
            found = getattr(rules.environment_for("second", service), key)
            alone = parse({"p.yaml": _text({"own": {key: said[winner][key]}} if winner else {}).encode()})
            assert found == getattr(alone.environment_for("second", service), key)
            if not winner:
                assert found == getattr(built_in.environment_for("second", service), key)
            sources = {**rules.provenance["second", ""], **rules.provenance.get(("second", service), {})}
            assert (sources[key].layer if key in sources else "") == (Layer(winner) if winner else "")


@given(layers())
def test_an_exception_of_one_service_changes_no_other(said: dict[str, dict[str, str]]) -> None:
    plain = {layer: keys for layer, keys in said.items() if not layer.endswith("exception")}
    with_them, without = (parse({"p.yaml": _text(one).encode()}) for one in (said, plain))

    for name in ("first", "second"):
        left, right = effective(with_them, name, "api"), effective(without, name, "api")
        assert left is not None
        assert right is not None
        assert left.hash == right.hash


def _hashes(rules: Rules) -> dict[tuple[str, str], str]:
    found = {
        (where, what): effective(rules, where, what)
        for where in rules.environments
        for what in rules.services
    }
    return {place: rule.hash for place, rule in found.items() if rule}


@given(st.randoms(use_true_random=False))
def test_the_order_of_files_and_of_names_changes_no_rule(chance: random.Random) -> None:
    names = [f"promotion/{letter}.yaml" for letter in "abc"]
    chance.shuffle(names)
    shuffled = {name: text.encode() for name, text in zip(names, FILES.values(), strict=True)}

    assert _hashes(parse(shuffled)) == _hashes(parse(encoded()))


_PIECES = [
    *("environments:\n", "services:\n", "teams:\n", "groups:\n", "calendar:\n", "  a: ", "  b: ", "{", "}", "[", "]"),
    *("like: a", "like: b", "exceptions: ", "approvals: as a", "approvals: as b", "approvals: 1", "path: p", ", "),
    *("\n", "soak: 1h", "freeze: closed", "gates: ", "{http: {url: x}}", "images: ", "after: {any: [a]}", "was: a"),
    *("zone: Z/Z", "emergency: ", "skips: digest", "notify: ada", "links: ", "working: Mon", "    ", "image: a.io/b"),
    *("versions: 1.x", "environments: a", "'", '"', "#", "*", "&", "!", "|", "\t", "\x00", "é", "github:a/b", "none"),
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(RulesError):
        assert isinstance(parse({"p.yaml": text.encode()}), Rules)
