"""Whether the image is what it was, and whether anybody spoke against it."""

from policies.codes import Code
from policies.entries.entry import Pinned
from policies.gates.case import Case
from policies.images.selection import major
from policies.verdict import PASSED, Failed, Verdict, Waiting


def digest(case: Case) -> Verdict:
    """Is the tag still what it was when a selection first picked it? A moved tag is bad evidence (promise 5)."""
    for image in case.image:
        seen = case.sighting(image)
        if not image.digest:
            return Waiting(Code.DIGEST_UNKNOWN, f"the digest of {image.tag} is not known")
        if seen and seen.sighting.digest not in {"", image.digest} and not _is_accepted(case, image):
            return Failed(
                Code.DIGEST_MOVED, f"{image.tag} was {seen.sighting.digest[:19]} when it was first seen"
            )
    return PASSED


def jump(case: Case) -> Verdict:
    """Does it climb no more major versions than the rule lets it (``jump``), where nobody is asked (promise 5)?"""
    policy, most = case.rule.service.versions, case.rule.environment.jump
    if most is None:
        return PASSED
    for old in case.current if not case.rule.environment.is_guarded else ():
        for new in case.image:
            before, after = major(policy, old.tag), major(policy, new.tag)
            if old.repository != new.repository or before is None or after is None:
                continue
            if after - before > most and not _is_accepted(case, new):
                return Failed(
                    Code.MAJOR_JUMP, f"{new.tag} is {after - before} major versions above {old.tag}"
                )
    return PASSED


def _is_accepted(case: Case, image: Pinned) -> bool:
    """Whether a person took this very image on after the bot had blocked it."""
    return case.state.is_accepted(case.service, image)


def blocked(case: Case) -> Verdict:
    """Did nobody block it, or roll it back, here or in an environment before?"""
    if not case.state.blocks:
        return PASSED
    standing = case.state.block_on(
        (case.environment, *case.rules.upstream(case.environment)), case.service, case.image
    )
    return Failed(Code.BLOCKED, standing.note or standing.why) if standing else PASSED
