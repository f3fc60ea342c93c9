"""Whether the image is what it was, and whether anybody spoke against it."""

from policies.codes import Code
from policies.gates.case import Case
from policies.verdict import PASSED, Failed, Verdict, Waiting


def digest(case: Case) -> Verdict:
    """Is the tag still what it was when a selection first picked it? A moved tag is bad evidence (promise 5)."""
    for image in case.image:
        seen = case.state.seen.get((case.service, image.repository, image.tag))
        if not image.digest:
            return Waiting(Code.DIGEST_UNKNOWN, f"the digest of {image.tag} is not known")
        if seen and seen.sighting.digest and seen.sighting.digest != image.digest:
            return Failed(
                Code.DIGEST_MOVED, f"{image.tag} was {seen.sighting.digest[:19]} when it was first seen"
            )
    return PASSED


def blocked(case: Case) -> Verdict:
    """Did nobody block it, or roll it back, here or in an environment before?"""
    standing = case.state.block_on(
        (case.environment, *case.rules.upstream(case.environment)), case.service, case.image
    )
    return Failed(Code.BLOCKED, standing.note or standing.why) if standing else PASSED
