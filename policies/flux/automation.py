"""Reading ImageUpdateAutomation: where it writes, and the patch that suspends it."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from policies.errors import PolicyError
from policies.flux.fields import Fields, invalid, name_of
from policies.flux.objects import ImageUpdateAutomation, Reason
from policies.manifests import setters
from policies.texts import unified_diff, yaml_events
from policies.texts.yaml_nodes import MapNode, ScalarNode

_GIT = "Countersign commits and pushes by its own rules"
NO_EFFECT: Mapping[str, str] = MappingProxyType(
    {
        "git": _GIT,
        "interval": "an environment's interval says how often registries are asked",
        "policySelector": "rules name the policies that they follow",
        "sourceRef": "the repository is the one in which this file stands",
    }
)
_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_OPERATORS = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}  # with values, or without
_REMOVED = re.compile(r"\.Updated\b|\.Changed\.ImageResult\b")


def read(fields: Fields, namespace: str, text: str) -> ImageUpdateAutomation:
    """Read one document of ``text``; what is wrong with it is noted in ``fields``."""
    name, spec = name_of(fields, namespace), fields.sub("spec")
    spec.duration("interval", required=True)
    _check_source(spec)
    _check_selector(spec.sub("policySelector"))
    _check_template(spec.sub("git").sub("commit"))
    folder = _folder(spec)
    is_suspended = spec.flag("suspend")
    spec.no_effect(NO_EFFECT)
    patch = "" if is_suspended else _suspended(fields.path, text, spec)
    return ImageUpdateAutomation(
        name, fields.path, fields.line, folder, is_suspended, patch, invalid(fields.problems)
    )


def _folder(spec: Fields) -> str:
    """Return what it writes to; an unknown strategy writes nowhere now, but is taken at its path."""
    update = spec.sub("update")
    strategy, path = update.text("strategy", "Setters"), update.text("path")
    try:
        return setters.scope({"strategy": strategy, "path": path})
    except PolicyError as error:
        update.refuse(Reason.INVALID_UPDATE_STRATEGY, "strategy", error)
        return setters.scope({"path": path})


def _check_source(spec: Fields) -> None:
    source = spec.sub("sourceRef")
    kind = source.text("kind", "GitRepository")
    if kind != "GitRepository":
        source.note(
            Reason.INVALID_SOURCE_CONFIGURATION,
            f"spec.sourceRef.kind is {kind[:60]!r}; expected GitRepository",
        )
    if not source.text("name"):
        source.note(
            Reason.INVALID_SOURCE_CONFIGURATION, "spec.sourceRef.name is left out; expected a GitRepository"
        )
    if not spec.has("git"):
        spec.note(
            Reason.INVALID_SOURCE_CONFIGURATION, "spec.git is left out; expected commit.author.email in it"
        )


def _check_selector(selector: Fields) -> None:
    """Check a label selector by the rules of Kubernetes."""
    for key, value in selector.table("matchLabels").items():
        if not _is_label_key(key) or _LABEL.fullmatch(value) is None:
            _refuse_selector(selector, f"matchLabels has {key[:80]!r}: {value[:80]!r}; expected a label")
    for expression in selector.items("matchExpressions"):
        operator, values = expression.text("operator"), expression.texts("values") or ()
        if not _is_label_key(expression.text("key")):
            _refuse_selector(expression, f"key is {expression.text('key')[:80]!r}; expected a label's name")
        if operator not in _OPERATORS or _OPERATORS[operator] != bool(values):
            expected = "In or NotIn with values, Exists or DoesNotExist without"
            _refuse_selector(
                expression, f"operator is {operator[:40]!r} with {len(values)} values; expected {expected}"
            )


def _refuse_selector(selector: Fields, detail: str) -> None:
    selector.note(Reason.INVALID_POLICY_SELECTOR, f"{selector.where}.{detail}")


def _is_label_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    return (
        bool(name)
        and _LABEL.fullmatch(name) is not None
        and (not slash or _PREFIX.fullmatch(prefix) is not None)
    )


def _check_template(commit: Fields) -> None:
    removed = _REMOVED.search(commit.text("messageTemplate"))
    if removed is not None:
        commit.note(
            Reason.REMOVED_TEMPLATE_FIELD,
            f"spec.git.commit.messageTemplate uses {removed[0]!r}, which Flux has removed; expected .Changed",
        )


def _suspended(path: str, text: str, spec: Fields) -> str:
    """Return the diff that sets ``suspend: true``: in its place, or as the first key of spec."""
    if spec.node is None:
        return ""
    written = spec.node.get("suspend")
    if isinstance(written, ScalarNode):
        start, end, new = written.start, written.end, "true"
        if start == end:  # `suspend:` with nothing behind it
            new = " true"
    elif spec.node.items and written is None:
        start = end = spec.node.items[0][0].start
        new = "suspend: true" + _separator(text, start, spec.node)
    else:
        return ""
    suspended = text[:start] + new + text[end:]
    try:
        yaml_events.events(suspended)
    except yaml_events.YamlRefused:  # a form that nobody writes by hand: better no patch than a wrong one
        return ""
    return unified_diff.unified(path, text, suspended)


def _separator(text: str, at: int, node: MapNode) -> str:
    """Return what stands between a new first key and the one that was first."""
    if text[node.start : node.start + 1] == "{":
        return ", "
    begin = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", at)
    newline = "\r\n" if text[max(line_end - 1, 0) : line_end] == "\r" else "\n"
    return newline + " " * (at - begin)
