"""What hangs on an image in its registry: labels and annotations, signatures."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from policies.builds import Said
from policies.evidence import Silence, Silent
from policies.image import Repository
from policies.rules import Host

MAX_PARTS = 20  # platforms of an image, signatures of one
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
CREATED = "org.opencontainers.image.created"
SIGNATURE = "dev.cosignproject.cosign/signature"  # annotation of a layer: base64


class Contents(Protocol):
    """A registry's manifests and blobs; what it does not say is a Silence."""

    def content(self, repository: Repository, where: str, hosts: Mapping[str, Host]) -> bytes | Silence:
        """Return what stands at ``manifests/...``, ``blobs/...`` or ``referrers/...`` below a repository."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One simple-signing payload and the signature over it, base64."""

    payload: bytes
    signature: str


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

    def signatures(self) -> tuple[Signed, ...] | Silence:
        """Return the simple-signing signatures that cosign put beside the image: by tag, else as referrers."""
        tagged = self._manifest(f"{self.digest.replace(':', '-')}.sig")
        if not isinstance(tagged, Silence):
            return self._signed(tagged)
        if tagged.code is not Silent.NO_SUCH_TAG:
            return tagged
        return self._referred()

    def _referred(self) -> tuple[Signed, ...] | Silence:
        answer = self.contents.content(self.repository, f"referrers/{self.digest}", self.hosts)
        if isinstance(answer, Silence):
            is_none = answer.code in {Silent.NO_SUCH_TAG, Silent.UNKNOWN}
            return () if is_none else answer
        found: list[Signed] = []
        for one in _list(_decoded(answer).get("manifests"))[:MAX_PARTS]:
            manifest = self._manifest(str(one.get("digest")))
            signed = manifest if isinstance(manifest, Silence) else self._signed(manifest)
            if isinstance(signed, Silence):
                return signed
            found += signed
        return tuple(found)

    def _signed(self, manifest: Mapping[str, Any]) -> tuple[Signed, ...] | Silence:
        found: list[Signed] = []
        for layer in _list(manifest.get("layers"))[:MAX_PARTS]:
            signature = _texts(layer.get("annotations")).get(SIGNATURE, "")
            if layer.get("mediaType") == SIMPLE_SIGNING and signature:
                payload = self._blob(str(layer.get("digest")))
                if isinstance(payload, Silence):
                    return payload
                found.append(Signed(payload, signature))
        return tuple(found)

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
