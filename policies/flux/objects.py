"""Flux's image automation as values: ImageRepository, ImagePolicy, ImageUpdateAutomation, and what is wrong in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from policies.images.digest_reflection import DigestReflection
from policies.images.selection_policy import SelectionPolicy
from policies.manifests import setters
from policies.manifests.places import Problem


class Reason(StrEnum):
    """Why a document does not do what it says. Flux's own names of conditions; ours are in small letters."""

    ACCESS_DENIED = "AccessDenied"
    DEPENDENCY_NOT_READY = "DependencyNotReady"
    IMAGE_URL_INVALID = "ImageURLInvalid"
    INTERVAL_NOT_CONFIGURED = "IntervalNotConfigured"
    INVALID = "Invalid"  # the API server's name for what the schema does not take
    INVALID_POLICY = "InvalidPolicy"
    INVALID_POLICY_SELECTOR = "InvalidPolicySelector"
    INVALID_SOURCE_CONFIGURATION = "InvalidSourceConfiguration"
    INVALID_UPDATE_STRATEGY = "InvalidUpdateStrategy"
    READ_OPERATION_FAILED = "ReadOperationFailed"
    REMOVED_TEMPLATE_FIELD = "RemovedTemplateField"
    AMBIGUOUS = "ambiguous"
    MISSING = "missing"
    NO_EFFECT = "no-effect"  # a notice: Flux acts on it, Countersign does not


@dataclass(frozen=True, slots=True)
class FluxName:
    """A namespace and a name. The namespace is empty where the files do not say it: a cluster would."""

    namespace: str
    name: str

    def fits(self, wanted: "FluxName") -> bool:
        """Say whether this could be what ``wanted`` names."""
        unsaid = not self.namespace or not wanted.namespace
        return self.name == wanted.name and (unsaid or self.namespace == wanted.namespace)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class ImageRepository:
    """Which tags are scanned. ``access`` holds the labels of each selector of accessFrom, None where none is set."""

    name: FluxName
    path: str
    line: int
    image: str
    exclusions: tuple[str, ...]
    is_suspended: bool
    access: tuple[Mapping[str, str], ...] | None
    invalid: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """Which tag is chosen. ``selection`` is None where ``invalid`` says why it cannot be used."""

    name: FluxName
    path: str
    line: int
    repository: FluxName
    selection: SelectionPolicy | None
    digest: DigestReflection
    is_suspended: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    invalid: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageUpdateAutomation:
    """Who writes, and where: the file or folder ``folder``, nothing for the whole repository.

    ``suspend_patch`` is a unified diff that suspends it, empty where it is suspended.
    """

    name: FluxName
    path: str
    line: int
    folder: str
    is_suspended: bool
    suspend_patch: str
    invalid: tuple[Problem, ...] = ()


def covers(automation: ImageUpdateAutomation, path: str) -> bool:
    """Say whether an automation that is not suspended may write to the file ``path``, or in the folder.

    One that Flux has stalled counts: it begins to write as soon as somebody mends it.
    """
    at = setters.scope({"path": path})
    overlaps = not at or setters.in_scope(at, automation.folder) or setters.in_scope(automation.folder, at)
    return not automation.is_suspended and overlaps
