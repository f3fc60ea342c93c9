"""Reading ImagePolicy: a selection policy, in Flux's precedence, and the digest that stands beside its choice."""

from policies.errors import PolicyError
from policies.flux.fields import Fields, invalid, name_of
from policies.flux.objects import FluxName, ImagePolicy, Reason
from policies.images.digest_reflection import DigestReflection
from policies.images.selection_policy import SelectionPolicy
from policies.images.tag_filter import TagFilter

_CHOICES = {"semver": "range", "alphabetical": "order", "numerical": "order"}  # the first that is set counts
_ORDERS = ("", "asc", "desc")


def read(fields: Fields, namespace: str) -> ImagePolicy:
    """Read one document; what is wrong with it is noted in ``fields``."""
    name, spec = name_of(fields, namespace), fields.sub("spec")
    reference = spec.sub("imageRepositoryRef")
    repository = FluxName(reference.text("namespace") or name.namespace, reference.text("name"))
    if not repository.name:
        spec.note(Reason.INVALID, "spec.imageRepositoryRef.name is left out; expected an ImageRepository")
    selection = _selection(spec)
    digest = _digest(spec)
    is_suspended = spec.flag("suspend")
    labels = fields.sub("metadata").table("labels")
    if is_suspended:
        spec.no_effect({"suspend": "Flux keeps its last choice in the cluster, which no file says"})
    wrong = invalid(fields.problems)
    return ImagePolicy(
        name,
        fields.path,
        fields.line,
        repository,
        None if wrong else selection,
        digest,
        is_suspended,
        labels,
        wrong,
    )


def _selection(spec: Fields) -> SelectionPolicy | None:
    """Build the selection policy; several ways to choose are one, as in Flux."""
    policy = spec.sub("policy")
    chosen = next((key for key in _CHOICES if policy.has(key)), None)
    if chosen is None:
        policy.note(
            Reason.INVALID_POLICY,
            f"spec.policy says not how to choose; expected one of {', '.join(_CHOICES)}",
        )
        return None
    for key in list(_CHOICES)[list(_CHOICES).index(chosen) + 1 :]:
        policy.no_effect({key: f"{chosen} is set, too, and comes first, with Flux as well"})
    how = policy.sub(chosen)
    text = how.text(_CHOICES[chosen])
    if chosen == "semver" and not how.has("range"):
        how.note(Reason.INVALID, "spec.policy.semver.range is left out; expected a range such as 1.x")
        return None
    if chosen != "semver" and text not in _ORDERS:
        # The schema is narrower than the code behind it, which takes any case.
        how.note(Reason.INVALID, f"spec.policy.{chosen}.order is {text[:60]!r}; expected asc or desc")
        return None
    pattern, extract = _filter(spec)
    try:
        return SelectionPolicy.of(**{chosen: text}, pattern=pattern, extract=extract)
    except PolicyError as error:
        how.refuse(Reason.INVALID_POLICY, _CHOICES[chosen], error)
        return None


def _filter(spec: Fields) -> tuple[str | None, str]:
    """Return pattern and template; without filterTags every tag passes."""
    if not spec.has("filterTags"):
        return None, ""
    tags = spec.sub("filterTags")
    pattern = tags.text("pattern")
    try:
        TagFilter.parse(pattern)
    except PolicyError as error:
        tags.refuse(Reason.INVALID_POLICY, "pattern", error)
        return None, ""
    return pattern, tags.text("extract")


def _digest(spec: Fields) -> DigestReflection:
    """Read the digest policy, and the interval that Always needs and the others may not have."""
    try:
        digest = DigestReflection.parse(spec.text("digestReflectionPolicy"))
    except PolicyError as error:
        spec.refuse(Reason.INVALID, "digestReflectionPolicy", error)
        return DigestReflection.NEVER
    spec.duration("interval")
    if digest is DigestReflection.ALWAYS:
        if not spec.has("interval"):
            spec.note(
                Reason.INTERVAL_NOT_CONFIGURED,
                "spec.interval is left out; expected one beside digestReflectionPolicy: Always",
            )
        spec.no_effect({"interval": "an environment's interval says how often registries are asked"})
    elif spec.has("interval"):
        spec.note(
            Reason.INVALID,
            f"spec.interval stands beside digestReflectionPolicy: {digest}; expected it beside Always only",
        )
    return digest
