"""What hangs on an image in its registry: labels and annotations, signatures and bundles."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from policies.images.builds import Said
from policies.images.evidence import Silence, Silent
from policies.images.image import Repository
from policies.rules.rules import Host

MAX_PARTS = 20  # platforms of an image, signatures of one
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
CREATED = "org.opencontainers.image.created"
SIGNATURE = "dev.cosignproject.cosign/signature"  # annotation of a layer: base64
CERTIFICATE = "dev.sigstore.cosign/certificate"  # the same: PEM
LOGGED = "dev.sigstore.cosign/bundle"  # the same: Rekor's promise that it holds the signature, JSON
BUNDLE = "application/vnd.dev.sigstore.bundle"  # with a version behind it
PREDICATE = "dev.sigstore.bundle.predicateType"  # annotation of what refers to an image
SIGNS = "https://sigstore.dev/cosign/sign/v1"  # the predicate of a signature; others are attestations
_COSIGN = "application/vnd.dev.cosign."


class Contents(Protocol):
    """A registry's manifests and blobs; what it does not say is a Silence."""

    def content(self, repository: Repository, where: str, hosts: Mapping[str, Host]) -> bytes | Silence:
        """Return what stands at ``manifests/...``, ``blobs/...`` or ``referrers/...`` below a repository."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One simple-signing payload and the signature over it, base64; by whom and when, where it is keyless."""

    payload: bytes
    signature: str
    certificate: str = ""
    logged: str = ""


@dataclass(frozen=True, slots=True)
class Bundled:
    """One bundle of Sigstore, as it was written."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Signatures:
    """What was found beside an image; ``silence``: some of it could not be read, and may be what is looked for."""

    found: tuple[Signed | Bundled, ...] = ()
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class ImageContents:
    """Reads one image by its digest. Raises nothing for what registries do."""

    contents: Contents
    hosts: Mapping[str, Host]
    repository: Repository
    digest: str

    def labels(self) -> dict[str, str] | Silence:
        """Return annotations of the image, and labels and annotations that all its platforms agree on."""
        top = self._manifest(self.digest)
        if isinstance(top, Silence):
            return top
        parts = _platforms(top)
        if not parts:
            return self._of_platform(top)
        found: list[dict[str, str]] = []
        for part in parts[:MAX_PARTS]:
            manifest = self._manifest(part)
            labels = manifest if isinstance(manifest, Silence) else self._of_platform(manifest)
            if isinstance(labels, Silence):
                return labels
            found.append(labels)
        first, *others = found
        agreed = {
            name: value for name, value in first.items() if all(one.get(name) == value for one in others)
        }
        return agreed | _texts(top.get("annotations"))

    def platforms(self) -> frozenset[str] | Silence:
        """Return what it is built for: ``linux/amd64``, with the variant where it says one too."""
        top = self._manifest(self.digest)
        if isinstance(top, Silence):
            return top
        listed = [one.get("platform") for one in _list(top.get("manifests"))]
        if listed:
            return frozenset(name for one in listed for name in _names(one))
        config = top.get("config")
        body = self._blob(str(config.get("digest") if isinstance(config, dict) else ""))
        return body if isinstance(body, Silence) else frozenset(_names(_decoded(body)))

    def built(self, platforms: Collection[str]) -> Said | Silence:
        """Return what says when each platform's image was built: its configuration, else annotations.

        ``platforms``: those that count, none = all. OCI image specification, "created" and "Annotations".
        """
        top = self._manifest(self.digest)
        if isinstance(top, Silence):
            return top
        if "manifests" not in top:
            said = self._built(top)
            return said if isinstance(said, Silence) else (said,)
        found: list[tuple[str, ...]] = []
        for part in _platforms(top, platforms)[:MAX_PARTS]:
            manifest = self._manifest(part)
            said = manifest if isinstance(manifest, Silence) else self._built(manifest)
            if isinstance(said, Silence):
                return said
            found.append((*said, _texts(top.get("annotations")).get(CREATED, "")))
        return tuple(found)

    def _built(self, manifest: Mapping[str, Any]) -> tuple[str, ...] | Silence:
        config = manifest.get("config")
        body = self._blob(str(config.get("digest") if isinstance(config, dict) else ""))
        if isinstance(body, Silence):
            return body
        created = _decoded(body).get("created")
        annotated = _texts(manifest.get("annotations")).get(CREATED, "")
        return (created if isinstance(created, str) else "", annotated)

    def signatures(self) -> Signatures:
        """Return what cosign put beside the image: at its tag, and as what refers to it."""
        found: list[Signed | Bundled] = []
        silence: Silence | None = None
        for manifest in (self._manifest(f"{self._name}.sig"), *self._referring()):
            for one in _hanging(manifest):
                body = self._blob(str(one.get("digest")))
                if isinstance(body, Silence):
                    silence = body
                else:
                    found.append(_signature(one, body))
            if isinstance(manifest, Silence) and manifest.code is not Silent.NO_SUCH_TAG:
                silence = manifest
        return Signatures(tuple(found), silence)

    @property
    def _name(self) -> str:
        """What tags that hang on the image begin with."""
        return self.digest.replace(":", "-")

    def _referring(self) -> Iterator[Mapping[str, Any] | Silence]:
        """Yield the manifests that may hold signatures (OCI distribution specification, "Listing Referrers")."""
        answer = self.contents.content(self.repository, f"referrers/{self.digest}", self.hosts)
        if isinstance(answer, Silence) and answer.code in {Silent.NO_SUCH_TAG, Silent.UNKNOWN}:
            answer = self.contents.content(self.repository, f"manifests/{self._name}", self.hosts)
        if isinstance(answer, Silence):
            yield answer
            return
        listed = [one for one in _list(_decoded(answer).get("manifests")) if _may_sign(one)]
        for one in listed[:MAX_PARTS]:
            yield self._manifest(str(one.get("digest")))

    def _of_platform(self, manifest: Mapping[str, Any]) -> dict[str, str] | Silence:
        config = manifest.get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        body = self._blob(str(digest))
        if isinstance(body, Silence):
            return body
        inner = _decoded(body).get("config")
        labels = inner.get("Labels") if isinstance(inner, dict) else None
        return _texts(labels) | _texts(manifest.get("annotations"))

    def _manifest(self, reference: str) -> Mapping[str, Any] | Silence:
        answer = self.contents.content(self.repository, f"manifests/{reference}", self.hosts)
        return answer if isinstance(answer, Silence) else _decoded(answer)

    def _blob(self, digest: str) -> bytes | Silence:
        if not digest.startswith("sha256:"):
            return Silence(Silent.INVALID, f"{self.repository}: a manifest names a part without its digest")
        return self.contents.content(self.repository, f"blobs/{digest}", self.hosts)


def _may_sign(descriptor: Mapping[str, Any]) -> bool:
    """Whether what refers to an image may be a signature: what says that it is something else is not looked at."""
    kind = str(descriptor.get("artifactType") or "")
    says = _texts(descriptor.get("annotations")).get(PREDICATE, SIGNS)
    return (not kind or kind.startswith((BUNDLE, _COSIGN))) and says == SIGNS


def _hanging(manifest: Mapping[str, Any] | Silence) -> list[Mapping[str, Any]]:
    """Return the layers of a manifest that are signatures."""
    layers = [] if isinstance(manifest, Silence) else _list(manifest.get("layers"))
    return [one for one in layers if _is_signature(one)][:MAX_PARTS]


def _is_signature(layer: Mapping[str, Any]) -> bool:
    kind = str(layer.get("mediaType"))
    return kind.startswith(BUNDLE) or (
        kind == SIMPLE_SIGNING and SIGNATURE in _texts(layer.get("annotations"))
    )


def _signature(layer: Mapping[str, Any], body: bytes) -> Signed | Bundled:
    if layer.get("mediaType") != SIMPLE_SIGNING:
        return Bundled(body)
    said = _texts(layer.get("annotations"))
    return Signed(body, said[SIGNATURE], said.get(CERTIFICATE, ""), said.get(LOGGED, ""))


def _names(platform: Any) -> list[str]:
    """Return the names of a platform (OCI image specification, "Image Index"): with and without its variant."""
    if not isinstance(platform, dict):
        return []
    system, architecture, variant = (
        str(platform.get(key) or "") for key in ("os", "architecture", "variant")
    )
    plain = f"{system}/{architecture}"
    return [plain, f"{plain}/{variant}"] if variant else [plain]


def _platforms(top: Mapping[str, Any], wanted: Collection[str] = ()) -> list[str]:
    """Return the digests of an index's images, without attestations, whose platform is unknown.

    ``wanted``: only those of these platforms, none = all.
    """
    found = []
    for one in _list(top.get("manifests")):
        platform = one.get("platform")
        is_image = not (isinstance(platform, dict) and platform.get("os") == "unknown")
        if is_image and (not wanted or set(wanted) & set(_names(platform))):
            found.append(str(one.get("digest")))
    return found


def _decoded(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> dict[str, str]:
    return dict(_pairs(value)) if isinstance(value, dict) else {}


def _pairs(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((name, text) for name, text in value.items() if isinstance(text, str))
