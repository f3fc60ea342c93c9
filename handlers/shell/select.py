"""``countersign select``: what a policy chooses from a list of tags, and what became of each of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import PermanentError
from handlers.shell.given import STDIN
from handlers.shell.tag_sources import Live, read_documents, read_tags
from handlers.shell.terminal import FINDINGS, FINE, WORLD_FAILED, UseError, print_json, print_lines, tell
from handlers.slack.reasons import phrase
from policies.errors import PolicyError
from policies.flux import documents as flux_documents
from policies.flux.documents import FluxDocuments, ImagePolicy, ImageRepository, Reason, Unresolved
from policies.images import tag_list
from policies.images.evidence import Silence
from policies.images.image import Repository
from policies.images.selection import (
    Alphabetical,
    DigestOf,
    Fate,
    NewestBuild,
    Numerical,
    Selection,
    SelectionPolicy,
    Semver,
    select,
)
from policies.images.selection_policy import NEWEST_BUILD
from policies.manifests.places import Problem
from policies.rulebook import service as rules_service
from policies.rulebook import text as rules_text
from policies.rulebook.document import Entry
from policies.rulebook.findings import Findings, RulesError
from policies.rulebook.people import People
from policies.rulebook.text import Table, Text
from policies.rules.rules import Position

SCHEMA = "countersign.select/1"
EXCLUDED = "excluded"  # by the exclusion list of the ImageRepository
_MEANINGS = {
    EXCLUDED: "the ImageRepository's exclusion list leaves it out",
    Fate.SELECTED: "it is the choice",
    Fate.OLDER: "it may run, but another one stands before it",
    Fate.OUT_OF_RANGE: "it is outside of the range",
    Fate.PRERELEASE: "it is a prerelease, and the range does not name one",
}
_WIDEST = 64  # letters of a tag in the table; longer ones push the rest of their line
_INLINE = "--versions"  # the file's name in findings


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a policy, the image that it is about where that is known, and what a scan leaves out."""

    policy: SelectionPolicy
    name: str = ""
    image: str = ""
    exclusions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The selection, and the tags that were left out before it."""

    selection: Selection
    excluded: tuple[str, ...]

    def fates(self) -> Iterator[tuple[str, str]]:
        """Yield every tag with its reason code: the eligible ones, best first, then the others by code."""
        selection = self.selection
        for tag in selection.ranked:
            yield tag, selection.fates[tag].value
        eligible = {Fate.SELECTED, Fate.OLDER}
        others = [(fate.value, tag) for tag, fate in selection.fates.items() if fate not in eligible]
        others += [(EXCLUDED, tag) for tag in self.excluded]
        for code, name in sorted(others):
            yield name, code


def run(
    *,
    policies: Sequence[Path],
    name: str,
    versions: str,
    tags: str,
    image: str,
    live: Live,
    explain: bool,
    as_json: bool,
) -> int:
    """Answer one question and print it. Raises: UseError, PermanentError."""
    if bool(policies) == bool(versions):
        raise UseError("say what to choose by: --policy FILE, or --versions RANGE; one of them")
    if name and versions:
        raise UseError("--name picks an ImagePolicy of --policy; with --versions there is none")
    if tags == STDIN and Path(STDIN) in policies:
        raise UseError("stdin holds one thing: --policy - or --tags -, and a file for the other")
    question = _of_policy(policies, name) if policies else Question(parse_versions(versions))
    if bool(tags) == bool(image):
        near = f"; its image is {question.image}" if question.image else ""
        raise UseError(
            f"say where the tags are: --tags FILE, --tags -, or --image HOST/PATH{near}; one of them"
        )
    found = read_tags(tags) if tags else _ask(image, live)
    if isinstance(found, Silence):
        tell(f"countersign select: {found.code}: {found.detail}")
        return WORLD_FAILED
    answer = judge(question, found)
    if as_json:
        print_json(_shape(question, answer, image or question.image, explain=explain))
    else:
        _print(answer, explain=explain)
    best, error = answer.selection.best, answer.selection.error
    if best is None:
        tell(f"countersign select: {_nothing(answer, error)}")
    return FINE if best else FINDINGS


def judge(question: Question, tags: Sequence[str]) -> Answer:
    """Leave out what a scan does, then select."""
    kept = tag_list.without_excluded(tags, question.exclusions) if question.exclusions else tags
    left = set(kept)
    return Answer(select(question.policy, kept), tuple(dict.fromkeys(tag for tag in tags if tag not in left)))


def parse_versions(text: str) -> SelectionPolicy:
    """Read a ``versions:`` value: a range as it is, or YAML in braces or with a key. Raises: UseError."""
    is_yaml = text.lstrip().startswith(("{", '"', "'")) or ": " in text or text.rstrip().endswith(":")
    at = Position(_INLINE, 1, 1)
    findings = Findings()
    node = (
        rules_text.read(_INLINE, text.encode("utf-8", "surrogatepass"), findings)
        if is_yaml
        else Text(at, text)
    )
    try:
        findings.check()
        if node is None:
            raise UseError("--versions is empty; expected a range such as 1.x")
        here = Entry(
            Text(at, "service"), Table(at, ((Text(at, "versions"), node), (Text(at, "image"), Text(at, "i"))))
        )
        nobody = People({}, {}, frozenset())
        service = rules_service.service(here, rules_service.defaults({}, nobody, findings), nobody, findings)
        findings.check()
    except RulesError as error:
        raise UseError(str(error)) from error
    if service is None:
        raise UseError(f"--versions is {text[:140]!r}; expected a range such as 1.x")
    return service.versions


def chosen_repository(policy: ImagePolicy, documents: FluxDocuments) -> ImageRepository | Unresolved:
    """Return the repository of a policy; one that is there and invalid is refused by its first problem."""
    found = flux_documents.repository_of(policy, documents)
    if isinstance(found, ImageRepository) and found.invalid:
        problem = found.invalid[0]
        return Unresolved(Reason(problem.code), f"{problem.path}:{problem.line}: {problem.detail}")
    return found


def _of_policy(paths: Sequence[Path], name: str) -> Question:
    """Find the ImagePolicy in the files. Raises: UseError, PermanentError."""
    documents = read_documents(paths)
    policy = _pick(documents, name, paths)
    if policy.selection is None:
        raise UseError("\n".join(map(_line, policy.invalid)))
    if policy.is_suspended:
        tell(
            f"note: ImagePolicy {policy.name} is suspended: Flux keeps its last choice; this is what it would choose"
        )
    repository = chosen_repository(policy, documents)
    if isinstance(repository, ImageRepository):
        return Question(policy.selection, str(policy.name), repository.image, repository.exclusions)
    if repository.reason is not Reason.DEPENDENCY_NOT_READY:
        raise UseError(f"{policy.path}:{policy.line}: {repository.reason}: {repository.detail}")
    tell(f"note: {repository.detail}; its exclusion list is taken to be the default")
    return Question(policy.selection, str(policy.name), "", tag_list.DEFAULT_EXCLUSIONS)


def _pick(documents: FluxDocuments, name: str, paths: Sequence[Path]) -> ImagePolicy:
    """Return the policy of this name, or the only one. Raises: UseError."""
    if name:
        found = flux_documents.resolve(name, documents)
        if isinstance(found, ImagePolicy):
            return found
        raise UseError("; ".join([found.detail, *_unread(documents)]))
    if not documents.policies:
        where = ", ".join(map(str, paths[:10]))
        expected = f"expected a document of kind ImagePolicy, {flux_documents.GROUP}/v1"
        raise UseError(
            "\n".join([*map(_line, documents.problems[:10]), f"{where}:1: no ImagePolicy; {expected}"])
        )
    if len(documents.policies) > 1:
        names = ", ".join(sorted({str(policy.name) for policy in documents.policies})[:20])
        raise UseError(f"the files hold {len(documents.policies)} ImagePolicies; say --name, one of: {names}")
    return documents.policies[0]


def _unread(documents: FluxDocuments) -> list[str]:
    """Return what could not be read: what is missing may be there."""
    known = set(Reason)
    return [_line(problem) for problem in documents.problems if problem.code not in known][:10]


def _ask(image: str, live: Live) -> list[str] | Silence:
    """Ask a registry. A list that was cut short is no evidence. Raises: UseError, PermanentError."""
    try:
        repository = Repository.parse(image)
    except PolicyError as error:
        raise UseError(f"--image: {error}") from error
    answer = live.tags([repository])[repository]
    if isinstance(answer, Silence):
        return answer
    if not answer.whole:
        raise PermanentError(
            f"{repository} has more tags than are read; nothing is chosen from a part of them"
        )
    return list(answer.tags)


def _nothing(answer: Answer, error: str) -> str:
    if error:
        return f"nothing is selected: {error}"
    counts = Counter(code for _, code in answer.fates())
    said = ", ".join(f"{count} {code}" for code, count in sorted(counts.items())) or "there are no tags"
    return f"nothing is selected: {said}; --explain shows each tag"


def _print(answer: Answer, *, explain: bool) -> None:
    best = answer.selection.best
    if best is not None:
        print_lines([best])
    if explain:
        rows = [("TAG", "CODE", "MEANING")]
        rows += [(tag, code, _meaning(code)) for tag, code in answer.fates()]
        width = min(max(len(tag) for tag, _, _ in rows), _WIDEST)
        wide = max(len(code) for _, code, _ in rows)
        print_lines(f"{tag:<{width}}  {code:<{wide}}  {meaning}" for tag, code, meaning in rows)


def _shape(question: Question, answer: Answer, image: str, *, explain: bool) -> Mapping[str, Any]:
    """Return the answer as ``countersign.select/1``."""
    fates = list(answer.fates())
    shape: dict[str, Any] = {
        "schema": SCHEMA,
        "selected": answer.selection.best,
        "error": answer.selection.error,
        "policy": {"name": question.name, **_spelled(question.policy)},
        "image": image,
        "counts": dict(sorted(Counter(code for _, code in fates).items())),
    }
    if explain:
        shape["tags"] = [{"tag": tag, "code": code, "meaning": _meaning(code)} for tag, code in fates]
    return shape


def _spelled(policy: SelectionPolicy) -> dict[str, str]:
    """Write a policy with the keys of ``versions``."""
    match policy.choose:
        case Semver(range=range_):
            how = {"semver": range_.text}
        case Numerical(order=order):
            how = {"numerical": order.value}
        case NewestBuild():
            how = {"newest-build": NEWEST_BUILD}
        case DigestOf(tag=tag):
            how = {"digest-of": str(tag)}
        case Alphabetical(order=order):  # pragma: no branch  mypy sees that nothing is left
            how = {"alphabetical": order.value}
    return how | ({"tags": policy.tags.pattern, "extract": policy.tags.extract} if policy.tags else {})


def _meaning(code: str) -> str:
    return _MEANINGS.get(code) or phrase(code)


def _line(problem: Problem) -> str:
    return f"{problem.path}:{problem.line}: {problem.code}: {problem.detail}"
