"""What the sandbox's registry says: manifests, blobs, errors, and right answers made wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from sandbox.registry import images
from sandbox.registry.images import Blob

_JUNK_TAGS = ["1.2.3\n", "", "../../etc/passwd", "x" * 300, "ÄÖÜ", "9.9.9 ", "9.9.9;reboot", "<!channel>"]
_WRONG_DIGEST = "sha256:" + "0" * 64


class Fault(StrEnum):
    """What can be wrong with a registry."""

    REFUSE = "refuse"  # 503
    SLOW = "slow"  # right answers, late
    TRUNCATED = "truncated"  # JSON that ends in the middle
    JUNK = "junk"  # tags that no registry may have
    SHORT = "short"  # the list ends after one tag, and no Link says so
    WRONG_DIGEST = "wrong-digest"  # a header that is not the digest of the body
    BUSY = "busy"  # 429 with Retry-After
    UNAUTHORIZED = "unauthorized"  # 401, whatever the token


@dataclass(slots=True)
class Repository:
    """What one repository holds."""

    tags: dict[str, str] = field(default_factory=dict)  # tag -> digest
    blobs: dict[str, Blob] = field(default_factory=dict)  # digest -> manifest, index, config or layer
    first_manifest: dict[str, str] = field(
        default_factory=dict
    )  # index digest -> digest of its first manifest


def place(path: str) -> tuple[str, str, str]:
    """Split ``/v2/<name>/<kind>/<reference>``; a name may have slashes and words like ``tags`` in it."""
    name, *rest = path.removeprefix("/v2/").rsplit("/", maxsplit=2)
    match rest:
        case [kind, reference] if path.startswith("/v2/"):
            return name, kind, reference
        case _:
            return "", "", ""


def manifest(request: Request, repository: Repository, reference: str) -> Response:
    """Answer with what a tag or digest names.

    A tag that names an index gives its first manifest to whoever does not accept indexes, as registries do with
    manifest lists: a client that forgets the Accept header pins one platform, and here it shows.
    """
    digest = repository.tags.get(reference, reference)
    found = repository.blobs.get(digest)
    if found is None or found.media_type not in {images.INDEX, images.MANIFEST}:
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown", detail={"reference": reference})
    accepted = {
        part.partition(";")[0].strip() for part in ",".join(request.headers.getlist("accept")).split(",")
    }
    if found.media_type == images.INDEX and digest != reference and images.INDEX not in accepted:
        found = repository.blobs[repository.first_manifest[digest]]
    headers = {"Docker-Content-Digest": found.digest, "ETag": f'"{found.digest}"'}
    return answered(found.body, found.media_type, headers)


def blob(repository: Repository, digest: str) -> Response:
    """Answer with a config or a layer."""
    found = repository.blobs.get(digest)
    if found is None:
        return error(404, "BLOB_UNKNOWN", "blob unknown to registry", detail={"digest": digest})
    return answered(found.body, "application/octet-stream", {"Docker-Content-Digest": found.digest})


def referrers(repository: Repository, digest: str) -> Response:
    """List the manifests that name an image as their subject (OCI distribution specification, "Listing Referrers")."""
    listed = []
    for found in repository.blobs.values():
        said = json.loads(found.body) if found.media_type == images.MANIFEST else {}
        if said.get("subject", {}).get("digest") == digest:
            more = {key: said[key] for key in ("artifactType", "annotations") if key in said}
            listed.append(found.descriptor(**more))
    body = {"schemaVersion": 2, "mediaType": images.INDEX, "manifests": listed}
    return answered(json.dumps(body).encode(), images.INDEX)


def spoiled(response: Response, fault: Fault, kind: str) -> Response:
    """Return a right answer made wrong."""
    if response.status_code != 200:  # noqa: PLR2004  HTTP
        return response
    headers = {k: v for k, v in response.headers.items() if k not in {"content-length", "etag"}}
    body = bytes(response.body)
    if fault is Fault.TRUNCATED:
        return Response(body[: len(body) // 2], headers=headers)
    if fault is Fault.WRONG_DIGEST and kind == "manifests":
        return Response(body, headers=headers | {"docker-content-digest": _WRONG_DIGEST})
    if fault in {Fault.JUNK, Fault.SHORT} and kind == "tags":
        listed = json.loads(body)
        if fault is Fault.JUNK:
            listed["tags"] = [*listed["tags"], *_JUNK_TAGS, None, 7, {"tag": "1.0.0"}]
        else:
            listed["tags"] = listed["tags"][:1]
            headers.pop("link", None)
        return Response(json.dumps(listed), headers=headers)
    return response


def answered(body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer 200."""
    version = {"Docker-Distribution-Api-Version": "registry/2.0", "Content-Type": media_type}
    return Response(body, headers=version | dict(headers or {}))


def error(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    *,
    detail: Mapping[str, str] | None = None,
) -> Response:
    """Answer as the specification's "Error Codes" ask for."""
    body = json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]})
    return Response(body, status, {"Content-Type": "application/json", **(headers or {})})
