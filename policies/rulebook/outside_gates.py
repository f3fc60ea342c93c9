"""The kinds of gates that ask outside, and the settings that each takes: ``gates: [{http: {url: ..., is: ...}}]``."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from policies.errors import PolicyError
from policies.images.tag_filter import compiled
from policies.rulebook.path import PLACEHOLDER, folder

MAX_VALUE = 2000
MAX_LIST = 20
COMPARISON = re.compile(r"(<=|>=|==|!=|<|>) ?(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}=[ -~]{0,512}", re.ASCII)
_POINTER = re.compile(r"(?:/[^/\x00-\x1f]*)+")
_HOST = re.compile(r"[a-z0-9.:-]+", re.ASCII)
_PUBLIC_KEY = re.compile(
    r"\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a kind of gate: whether it has to be there, whether it may be a list, what a value looks like."""

    expected: str
    is_good: Callable[[str], bool]
    is_required: bool = False
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a gate's settings; ``setting`` '' = with the gate as a whole."""

    setting: str
    what: str
    expected: str


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  it is read to be checked
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text
    host = _HOST.fullmatch(
        parts.hostname or ""
    )  # nothing is put into the host: it is the one that was reviewed
    return plain and parts.scheme in {"https", "http"} and host is not None and "@" not in parts.netloc


def _is_line(text: str) -> bool:
    return text.isprintable()


def _fits(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def is_good(text: str) -> bool:
        try:
            parse(text)
        except PolicyError:
            return False
        return True

    return is_good


def _is_json(text: str) -> bool:
    return _parses(folder)(text) and folder(text) == text.replace(PLACEHOLDER, "") and text.endswith(".json")


_ON = ("source", "head", "target")
IDENTITIES = ("identity", "identity-pattern")
_KEYLESS = (*IDENTITIES, "issuer", "trust-root")
_URL = Setting("an address such as https://example.com/state, without a login", _is_url, is_required=True)

# kind -> its settings. <environment>, <service>, <version> and <digest> in an address or a query are replaced.
KINDS: Mapping[str, Mapping[str, Setting]] = {
    "http": {
        "url": _URL,
        "json": Setting("a JSON pointer such as /status/open", _fits(_POINTER)),
        "is": Setting("a text, or a list of texts one of which it is", _is_line, is_list=True),
    },
    "prometheus": {
        "url": _URL,
        "query": Setting("a PromQL query", _is_line, is_required=True),
        "is": Setting("a comparison such as < 0.01", _fits(COMPARISON), is_required=True),
    },
    "signature": {
        "key": Setting(
            "a public key in PEM, -----BEGIN PUBLIC KEY----- ... (cosign.pub), or a list of them",
            _fits(_PUBLIC_KEY),
            is_list=True,
        ),
        "identity": Setting(
            "whom the certificate names: the address of a workflow with its ref, or a mail address; or a list of them",
            _is_line,
            is_list=True,
        ),
        "identity-pattern": Setting("an RE2 pattern that all of the identity fits", _parses(compiled)),
        "issuer": Setting(
            "who vouches for it, such as https://token.actions.githubusercontent.com", _is_line
        ),
        "trust-root": Setting(
            "a .json file of the repository, such as promotion/trusted_root.json", _is_json
        ),
    },
    "labels": {
        "has": Setting("NAME=VALUE, or a list of them", _fits(_LABEL), is_required=True, is_list=True),
    },
    "checks": {
        "names": Setting("a check's name, or a list of them", _is_line, is_required=True, is_list=True),
        "on": Setting(f"one of {', '.join(_ON)}", lambda text: text in _ON),
    },
}


def complaints(kind: str, settings: Mapping[str, tuple[str, ...]]) -> Iterator[Complaint]:
    """Yield what is wrong with a gate of the rules; nothing where it can be asked."""
    known = KINDS.get(kind)
    if known is None:
        yield Complaint("", f"{kind[:40]!r} is no kind of gate", f"one of {', '.join(KINDS)}")
        return
    for name in (one for one in settings if one not in known):
        yield Complaint(name, f"{name[:40]!r} is no setting of {kind}", f"one of {', '.join(known)}")
    for name, setting in known.items():
        yield from _values(kind, name, setting, settings.get(name, ()))
    if kind == "signature":
        yield from _signers(settings)


def _signers(settings: Mapping[str, tuple[str, ...]]) -> Iterator[Complaint]:
    """Yield what is wrong with who has to have signed: a key, or an identity with what vouches for it."""
    keyless = [name for name in _KEYLESS if settings.get(name)]
    if settings.get("key"):
        for name in keyless[:1]:
            yield Complaint(
                name, f"{name} stands beside key", "one of them; a gate for each where both are wanted"
            )
    elif not any(name in IDENTITIES for name in keyless):
        yield Complaint(
            "", "signature has no key and no identity", "key: ..., or identity, issuer and trust-root"
        )
    for name in ("issuer", "trust-root") if keyless and not settings.get("key") else ():
        if name not in keyless:
            yield Complaint("", f"signature has no {name}", f"{name}: {KINDS['signature'][name].expected}")


def _values(kind: str, name: str, setting: Setting, values: tuple[str, ...]) -> Iterator[Complaint]:
    most = MAX_LIST if setting.is_list else 1
    if not values and setting.is_required:
        yield Complaint("", f"{kind} has no {name}", f"{name}: {setting.expected}")
    if len(values) > most:
        yield Complaint(name, f"{name} has {len(values)} values", f"at most {most}")
    for value in values:
        if not value or len(value) > MAX_VALUE or not setting.is_good(value):
            verb = "has" if name == "is" else "is"
            yield Complaint(name, f"{name} {verb} {value[:60]!r}", setting.expected)


def filled(text: str, **values: str) -> str:
    """Put what is asked about into an address or a query. Raises: PolicyError where it names something else."""
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    if left := re.search(r"<(environment|service|version|digest)>", text):
        raise PolicyError(f"{left[0]} is not known here; expected a text without it")
    return text


def compares(value: float, comparison: str) -> bool:
    """Whether a number is as a comparison says. Raises: PolicyError where it does not parse."""
    found = COMPARISON.fullmatch(comparison)
    if found is None:
        raise PolicyError(f"{comparison[:40]!r} is no comparison; expected a form such as < 0.01")
    bound = float(found[2])
    return {
        "<": value < bound,
        "<=": value <= bound,
        ">": value > bound,
        ">=": value >= bound,
        "==": value == bound,
        "!=": value != bound,
    }[found[1]]
