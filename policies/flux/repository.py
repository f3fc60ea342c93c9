"""Reading ImageRepository: what is scanned, what is left out, and who else may use it."""

from collections.abc import Mapping
from types import MappingProxyType

from policies.errors import PolicyError
from policies.flux.fields import Fields, invalid, name_of
from policies.flux.objects import ImageRepository, Reason
from policies.images import tag_list
from policies.images.image_name import parse_image_repository
from policies.images.tag_filter import compiled

_LOGINS = "logins come from the Docker config"
_HOSTS = "registries: in promotion/ says it for a host"
NO_EFFECT: Mapping[str, str] = MappingProxyType(
    {
        "certSecretRef": _HOSTS,
        "insecure": _HOSTS,
        "interval": "an environment's interval says how often registries are asked",
        "provider": _LOGINS,
        "proxySecretRef": "the proxy of the environment is used",
        "secretRef": _LOGINS,
        "serviceAccountName": _LOGINS,
        "suspend": "tags are still looked at",
        "timeout": "each registry has the same time",
    }
)
_PROVIDERS = ("generic", "aws", "azure", "gcp")


def read(fields: Fields, namespace: str) -> ImageRepository:
    """Read one document; what is wrong with it is noted in ``fields``."""
    name, spec = name_of(fields, namespace), fields.sub("spec")
    spec.duration("interval", required=True)
    spec.duration("timeout")
    provider = spec.text("provider", "generic")
    if provider not in _PROVIDERS:
        spec.note(
            Reason.INVALID, f"spec.provider is {provider[:60]!r}; expected one of {', '.join(_PROVIDERS)}"
        )
    image, exclusions = _image(spec), _exclusions(spec)
    access, is_suspended = _access(spec), spec.flag("suspend")
    written = {key: text for key, text in NO_EFFECT.items() if key != "suspend" or is_suspended}
    spec.no_effect(
        written if provider != "generic" else {k: v for k, v in written.items() if k != "provider"}
    )
    return ImageRepository(
        name, fields.path, fields.line, image, exclusions, is_suspended, access, invalid(fields.problems)
    )


def _image(spec: Fields) -> str:
    """Return the image as written: that spelling is what Flux writes into files."""
    image = spec.text("image")
    if not image:
        spec.note(Reason.INVALID, "spec.image is left out; expected HOST/PATH without tag")
        return ""
    try:
        parse_image_repository(image)
    except PolicyError as error:
        spec.refuse(Reason.IMAGE_URL_INVALID, "image", error)
    return image


def _exclusions(spec: Fields) -> tuple[str, ...]:
    """Return the list in force: an own list replaces the default, an empty one does not."""
    written = spec.texts("exclusionList")
    if written and len(written) > tag_list.MAX_EXCLUSIONS:
        spec.note(
            Reason.INVALID,
            f"spec.exclusionList has {len(written)} patterns; expected at most {tag_list.MAX_EXCLUSIONS}",
        )
        return tag_list.exclusions_of(None)
    for pattern in written or ():
        try:
            compiled(pattern)
        except PolicyError as error:
            spec.refuse(Reason.READ_OPERATION_FAILED, "exclusionList", error)
            return tag_list.exclusions_of(None)
    return tag_list.exclusions_of(written)


def _access(spec: Fields) -> tuple[Mapping[str, str], ...] | None:
    """Return the labels that each selector asks for; an empty one lets every namespace in."""
    if not spec.has("accessFrom"):
        return None
    return tuple(
        selector.table("matchLabels") for selector in spec.sub("accessFrom").items("namespaceSelectors")
    )
