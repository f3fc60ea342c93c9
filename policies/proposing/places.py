"""Which folders of a repository are environments, in which order they come, and which bases they share."""

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policies.errors import PolicyError
from policies.manifests import kustomize
from policies.rulebook.fields import MAX_NAME, RESERVED
from policies.rulebook.path import folder
from policies.texts import yaml_text
from policies.texts.yaml_nodes import ListNode, MapNode, ScalarNode

GUARDED = 50  # from this rank on people are asked
# What folders are called, and how near to production that is. A name may have more around it: production-eu.
RANKS = {
    **dict.fromkeys(("dev", "develop", "development", "sandbox", "preview"), 10),
    **dict.fromkeys(("test", "testing", "qa", "int", "integration"), 20),
    **dict.fromkeys(("staging", "stage", "stg", "uat", "acceptance", "nonprod"), 30),
    **dict.fromkeys(("preprod", "preproduction"), 40),
    "canary": GUARDED,
    **dict.fromkeys(("production", "prod", "prd", "live"), 60),
}
# One environment is spelled in several ways: apps/prod and clusters/production.
_ALIKE = {
    "develop": "dev", "development": "dev", "testing": "test", "integration": "int", "stage": "staging",
    "stg": "staging", "preproduction": "preprod", "prod": "production", "prd": "production",
}  # fmt: skip
# Words that name other things, too: they count only where environments are kept.
_WEAK = frozenset({"test", "testing", "int", "integration", "live", "sandbox", "preview", "canary"})
_KEPT_IN = frozenset(
    "apps applications argocd clusters deploy deployments env environment environments envs fleet flux "  # noqa: SIM905  a list of words reads best as a sentence
    "infrastructure infra k8s kubernetes manifests overlays releases services stages targets values".split()
)
SHARED = frozenset({"base", "bases", "common", "components", "shared"})
_MAX_EXTRA = 2  # words around the one that tells: production-eu-1
_RESOURCES = ("resources", "bases", "components")


@dataclass(frozen=True, slots=True)
class Place:
    """A proposed environment: its name, its rank among ``RANKS``, and its folders."""

    name: str
    rank: int
    paths: tuple[str, ...]

    @property
    def is_guarded(self) -> bool:
        """Whether people are asked there."""
        return self.rank >= GUARDED


@dataclass(frozen=True, slots=True)
class _Named:
    """A part of a path that tells an environment: the word, what stands around it, as it is written, where."""

    word: str
    rest: tuple[str, ...]
    written: str
    folder: str


def environments(paths: Iterable[str]) -> dict[str, Place]:
    """Return each environment that these files' paths tell, in the order of promotion; files lie in one at most."""
    folders: dict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    spellings: dict[tuple[str, tuple[str, ...]], Counter[str]] = defaultdict(Counter)
    for path in paths:
        found = _environment(path)
        if found is not None:
            key = (_ALIKE.get(found.word, found.word), found.rest)
            folders[key].add(found.folder)
            spellings[key][found.written] += 1
    places: dict[str, Place] = {}
    for key in sorted(folders, key=lambda one: (RANKS[one[0]], one)):
        name = min(spellings[key], key=lambda one: (-spellings[key][one], one))
        if name not in places and len(name) <= MAX_NAME and name not in RESERVED:
            places[name] = Place(name, RANKS[key[0]], tuple(sorted(folders[key])))
    return places


def after(place: Place, places: Iterable[Place]) -> tuple[str, ...]:
    """Return the environments that come directly before one: the nearest rank below it."""
    before = [one for one in places if one.rank < place.rank]
    nearest = max((one.rank for one in before), default=0)
    return tuple(one.name for one in before if one.rank == nearest)


def _environment(path: str) -> _Named | None:
    """Return the first folder of a path that tells an environment, else a file such as values-production.yaml."""
    *above, name = path.split("/")
    for depth, part in enumerate(above):
        found = _told(part, "/".join(above[: depth + 1]), is_kept=depth > 0 and above[depth - 1] in _KEPT_IN)
        if found is not None:
            return found
    words = name.rpartition(".")[0]
    is_values = "values" in _words(words)
    return _told(words, path, is_kept=is_values) if is_values else None


def _told(part: str, where: str, *, is_kept: bool) -> _Named | None:
    """Read one part of a path. ``is_kept``: environments are kept there."""
    try:
        folder(where)
    except PolicyError:
        return None  # no path that a rule could name
    words = tuple(word for word in _words(part) if word != "values")
    spans = [(at, at + size) for size in (2, 1) for at in range(len(words) - size + 1)]
    for start, end in spans:
        word, rest = "".join(words[start:end]), words[:start] + words[end:]
        if word in RANKS and (is_kept or word not in _WEAK) and len(rest) <= _MAX_EXTRA:
            return _Named(word, tuple(sorted(rest)), "-".join(words), where)
    return None


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word for word in re.split(r"[-_.]", text.lower()) if word)
    return words if all(re.fullmatch(r"[a-z0-9]+", word, re.ASCII) for word in words) else ()


# --- bases that overlays share ----------------------------------------------------------------------------------


def sharers(files: Mapping[str, bytes], places: Mapping[str, Place]) -> dict[str, frozenset[str]]:
    """Return, for each folder or file outside of the environments that overlays build on, who builds on it."""
    resources = {
        posixpath.dirname(path): tuple(_resources(path, content))
        for path, content in sorted(files.items())
        if path.rpartition("/")[2] in kustomize.FILES
    }
    found: dict[str, set[str]] = defaultdict(set)
    for place in places.values():
        waiting = [one for one in resources if any(_is_in(one, path) for path in place.paths)]
        reached = set(waiting)
        for one in waiting:
            for target in resources.get(one, ()):
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        for one in reached:
            if not any(_is_in(one, path) for other in places.values() for path in other.paths):
                found[one].add(place.name)
    return {where: frozenset(names) for where, names in found.items()}


def _resources(path: str, content: bytes) -> Iterator[str]:
    """Yield what a kustomization builds on, as paths of the repository."""
    try:
        roots = yaml_text.read(content).documents
    except yaml_text.YamlRefused:
        return
    for root in roots:
        lists = [root.get(key) for key in _RESOURCES] if isinstance(root, MapNode) else []
        for one in (item for node in lists if isinstance(node, ListNode) for item in node.items):
            if isinstance(one, ScalarNode) and "://" not in one.value:
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), one.value))
                if not target.startswith(".."):
                    yield target


def _is_in(path: str, where: str) -> bool:
    return where in {"", "."} or path == where or path.startswith(f"{where}/")


def place_of(path: str, places: Iterable[Place]) -> Place | None:
    """Return the environment in which a file lies."""
    return next((one for one in places if any(_is_in(path, where) for where in one.paths)), None)
