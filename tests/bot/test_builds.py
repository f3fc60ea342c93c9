"""When images were built is asked once, of those who need it, and kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.index import Index
from bot.looking.builds import LONGEST, Builds
from bot.registries.image_contents import CREATED, ImageContents
from bot.registries.registry import PycurlRegistry
from policies.images.builds import Build, BuildKey
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Digest, Repository, Tag
from policies.rulebook.parse import parse
from policies.rules.rules import Host, Rules
from tests.bot.test_registry import registry
from tests.real_registry import RealRegistry

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def _rules(image: str, more: str = "") -> Rules:
    text = f"""\
environments:
  staging: {{path: apps/staging/<service>, channel: deploys, approvals: none}}
services:
  web: {{image: {image}, versions: {{newest-build: true, tags: "^main-"}}{more}}}
  cart: {{image: {image}, versions: 1.x}}
people: {{ada: {{slack: U0ADA}}}}
"""
    return parse({"promotion/rules.yaml": text.encode()})


@dataclass
class Counting:
    """A registry's contents, and what was asked of them."""

    real: PycurlRegistry
    asked: list[str] = field(default_factory=list)

    def content(self, repository: Repository, where: str, hosts: Mapping[str, Host]) -> bytes | Silence:
        """Ask, and count."""
        self.asked.append(where)
        return self.real.content(repository, where, hosts)


def _look(builds: Builds, rules: Rules, image: Repository, asking: PycurlRegistry) -> dict[BuildKey, Build]:
    return builds.look(rules, asking.tags([image], rules.registries), {}, NOW)


def test_a_real_registry_is_asked_once_for_each_image_behind_the_filter(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        image = Repository.parse(f"{real.host}/shop/web")
        real.push_index("shop/web", "main-b", "one", created="2026-11-20T10:00:00Z")
        real.push_index("shop/web", "main-a", "two", created="2026-11-22T10:00:00.5Z")
        real.push_index("shop/web", "main-0", "three", created="1970-01-01T00:00:00Z")
        real.push_index("shop/web", "dev-1", "four", created="2026-11-22T12:00:00Z")
        rules, index, contents = _rules(str(image)), Index.open(tmp_path / "index.db"), Counting(asking)

        found = _look(Builds(asking, contents, index), rules, image, asking)
        asked = len(contents.asked)
        again = _look(
            Builds(asking, contents, index), rules, image, asking
        )  # another process, the same database

    times = {tag: one.at for (_, tag, _), one in found.items()}
    assert times == {
        "main-a": datetime(2026, 11, 22, 10, 0, 0, 500000, tzinfo=UTC),
        "main-b": datetime(2026, 11, 20, 10, tzinfo=UTC),
        "main-0": None,
    }
    assert found[image, Tag("main-0"), ()].is_untrusted
    assert again == found
    assert asked == len(contents.asked) == 3 * 5  # an index, and manifest and configuration of two platforms
    web = rules.services["web"]
    assert web.select(("main-a", "main-b", "main-0", "dev-1"), found).ranked == ("main-a", "main-b")


def test_only_so_many_are_asked_in_a_pass_and_nothing_is_chosen_before_all_are_known(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        image = Repository.parse(f"{real.host}/shop/web")
        for number in range(3):
            real.push_index("shop/web", f"main-{number}", str(number), created=f"2026-11-2{number}T10:00:00Z")
        rules, contents = _rules(str(image)), Counting(asking)
        builds = Builds(asking, contents, most=2)

        first = _look(builds, rules, image, asking)
        second = _look(builds, rules, image, asking)

    web, tags = rules.services["web"], ("main-0", "main-1", "main-2")
    assert (len(first), len(second)) == (2, 3)
    assert web.select(tags, first).code == "build-unread"
    assert web.select(tags, second).best == "main-2"


def test_a_tag_that_names_another_image_is_looked_into_again(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        image = Repository.parse(f"{real.host}/shop/web")
        real.push_index("shop/web", "main-1", "one", created="2026-11-20T10:00:00Z")
        rules, builds = _rules(str(image)), Builds(asking, asking)
        _look(builds, rules, image, asking)
        moved = real.push_index("shop/web", "main-1", "two", created="2026-11-21T10:00:00Z")
        tag = Tag("main-1")

        found = builds.look(rules, {image: TagList((tag,))}, {(image, tag): Digest(moved)}, NOW)

    assert found[image, tag, ()].at == datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_who_takes_no_newest_build_costs_nothing(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        image = Repository.parse(f"{real.host}/shop/web")
        real.push_index("shop/web", "1.0.0", "one")
        text = _rules(str(image))
        rules = Rules(text.environments, {"cart": text.services["cart"]})
        contents = Counting(asking)

        assert _look(Builds(asking, contents), rules, image, asking) == {}
    assert contents.asked == []


@dataclass
class Shelf:
    """Manifests and blobs as values."""

    held: Mapping[str, object]

    def content(self, _repository: Repository, where: str, _hosts: Mapping[str, Host]) -> bytes | Silence:
        """Return one."""
        found = self.held.get(where)
        if isinstance(found, Silence):
            return found
        return json.dumps(found).encode() if found is not None else Silence(Silent.NO_SUCH_TAG, f"no {where}")


TOP = f"sha256:{'0' * 64}"


def _digest(name: str) -> str:
    return f"sha256:{name * 64}"


def _image(name: str, created: object, annotated: str = "") -> dict[str, object]:
    notes = {"annotations": {CREATED: annotated}} if annotated else {}
    return {
        f"manifests/{_digest(name)}": {"config": {"digest": _digest(f"{int(name) + 5}")}, **notes},
        f"blobs/{_digest(f'{int(name) + 5}')}": {"created": created} if created else {},
    }


def _part(name: str, architecture: str, system: str = "linux") -> dict[str, object]:
    return {"digest": _digest(name), "platform": {"os": system, "architecture": architecture}}


def _built(held: Mapping[str, object], *platforms: str) -> object:
    return ImageContents(Shelf(held), {}, Repository("ghcr.io/example/web"), TOP).built(platforms)


def test_of_an_index_the_wanted_platforms_are_asked_and_attestations_never() -> None:
    index = {
        "manifests": [_part("1", "amd64"), _part("2", "arm64"), _part("3", "unknown", "unknown")],
        "annotations": {CREATED: "top"},
    }
    held = {f"manifests/{TOP}": index, **_image("1", "one"), **_image("2", 7, "noted")}

    assert _built(held) == (("one", "", "top"), ("", "noted", "top"))
    assert _built(held, "linux/arm64") == (("", "noted", "top"),)
    assert _built(held, "linux/s390x") == ()


def test_an_image_of_one_platform_says_it_itself() -> None:
    held = {
        f"manifests/{TOP}": {"config": {"digest": _digest("5")}},
        f"blobs/{_digest('5')}": {"created": "one"},
    }

    assert _built(held) == (("one", ""),)


def test_what_the_registry_does_not_have_is_known_and_what_it_may_have_later_is_asked_again() -> None:
    image, tag = Repository("ghcr.io/example/web"), Tag("main-1")
    rules = _rules(str(image))

    class Registry:
        """Answers digests."""

        def tags(self, *_: object) -> dict[Repository, TagList]:
            return {}

        def digests(self, *_: object) -> dict[tuple[Repository, Tag], Digest]:
            return {(image, tag): Digest(TOP)}

    gone, slow = Shelf({}), Shelf({f"manifests/{TOP}": Silence(Silent.SLOW, "later")})

    assert Builds(Registry(), gone).look(rules, {image: TagList((tag,))}, {}, NOW) == {
        (image, tag, ()): Build(None, f"no manifests/{TOP}")
    }
    assert Builds(Registry(), slow).look(rules, {image: TagList((tag,))}, {}, NOW) == {}
    ticks = iter((0.0, LONGEST, LONGEST, LONGEST + 1))
    late = Builds(Registry(), gone, tick=lambda: next(ticks))
    assert late.look(rules, {image: TagList((tag,))}, {}, NOW) == {}, "there is no time left"
    assert late.look(rules, {image: TagList((tag,))}, {}, NOW) != {}, "it has its turn in the next pass"


def test_rows_that_cannot_be_read_are_asked_anew(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        image = Repository.parse(f"{real.host}/shop/web")
        real.push_index("shop/web", "main-1", "one", created="2026-11-20T10:00:00Z")
        index, key = Index.open(tmp_path / "index.db"), json.dumps([image, "main-1", []])
        index.remember_builds({"nonsense": ("x", "[]"), '["a"]': ("x", "[]"), key: ("x", "{")})

        found = _look(Builds(asking, asking, index), _rules(str(image)), image, asking)

    assert found[image, Tag("main-1"), ()].at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert index.builds()[key][1] == '[["2026-11-20T10:00:00Z", "", ""], ["2026-11-20T10:00:00Z", "", ""]]'


def test_an_index_that_is_gone_costs_another_question_and_no_pass(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        image = Repository.parse(f"{real.host}/shop/web")
        real.push_index("shop/web", "main-1", "one", created="2026-11-20T10:00:00Z")
        index = Index.open(tmp_path / "index.db")
        index.close()

        found = _look(Builds(asking, asking, index), _rules(str(image)), image, asking)

    assert [one.at for one in found.values()] == [datetime(2026, 11, 20, 10, tzinfo=UTC)]


def test_what_is_known_is_told_without_asking(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real, registry() as asking:
        image = Repository.parse(f"{real.host}/shop/web")
        real.push_index("shop/web", "main-1", "one", created="2026-11-20T10:00:00Z")
        rules, contents = _rules(str(image)), Counting(asking)
        builds = Builds(asking, contents)
        found = _look(builds, rules, image, asking)
        asked = len(contents.asked)

    listed = {image: TagList(("main-1", "main-2"))}
    assert builds.known(rules, listed, NOW) == found
    assert builds.known(rules, {}, NOW) == {}
    assert len(contents.asked) == asked
