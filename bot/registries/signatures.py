"""Whether an image is signed as a rule asks: by one of its keys, or by an identity that its trust root vouches for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from bot.registries import cosign
from bot.registries.image_contents import Bundled, Signed
from policies.codes import Code
from policies.errors import PolicyError
from policies.rulebook.outside_gates import IDENTITIES

EXTRA = "countersign[sigstore]"
TRUST_ROOT = "trust-root"  # the setting that names the file

Judge = Callable[[Signed | Bundled, str, str], str]
"""Returns who signed, of a signature, a repository and a digest. Raises: PolicyError, with what is wrong."""


@dataclass(frozen=True, slots=True)
class CannotJudge:
    """Why no signature can be verified here; ``detail`` is one line for people."""

    code: Code
    detail: str


def is_installed() -> bool:
    """Whether keyless signatures can be verified."""
    return find_spec("sigstore") is not None


def is_keyless(settings: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a gate asks for an identity."""
    return any(settings.get(name) for name in IDENTITIES)


def judge_of(settings: Mapping[str, tuple[str, ...]], trust_root: bytes | None) -> Judge | CannotJudge:
    """Return what judges signatures for a gate; ``trust_root``: the file that it names, nothing where there is none.

    Raises: PolicyError where a key cannot be read.
    """
    if not is_keyless(settings):
        return _by_key([cosign.key_of(pem) for pem in settings.get("key", ())])
    path = "".join(settings.get(TRUST_ROOT, ()))
    if trust_root is None:
        return CannotJudge(Code.TRUST_ROOT_MISSING, f"there is no {path} on the target branch")
    if not is_installed():
        return CannotJudge(Code.SIGSTORE_MISSING, f"install {EXTRA}")
    try:
        return _by_identity(settings, trust_root)
    except PolicyError as error:
        return CannotJudge(Code.TRUST_ROOT_MISSING, f"{path}: {error}")


def _by_key(keys: list[cosign.PublicKey]) -> Judge:
    def judge(one: Signed | Bundled, repository: str, digest: str) -> str:
        if not cosign.is_signed([one], keys, repository=repository, digest=digest):
            raise PolicyError(f"none is by a key of the rules, over {digest[:19]} of {repository}")
        return "a key of the rules"

    return judge


def _by_identity(settings: Mapping[str, tuple[str, ...]], trust_root: bytes) -> Judge:
    from bot.registries import keyless  # noqa: PLC0415  what it needs may not be there, and takes a second to load

    trust = keyless.trusted(trust_root)
    pattern, issuer = ("".join(settings.get(name, ())) for name in ("identity-pattern", "issuer"))
    signers = keyless.Signers(settings.get("identity", ()), pattern, issuer)

    def judge(one: Signed | Bundled, repository: str, digest: str) -> str:
        return keyless.signed_by(one, trust, signers, repository=repository, digest=digest)

    return judge
