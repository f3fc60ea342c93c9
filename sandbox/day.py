"""The scripted day: what happens, chapter by chapter, and what is expected at each step."""

import time
from collections.abc import Callable, Mapping

from sandbox.checks import BrokenError
from sandbox.gitops import CHECKOUT, PRODUCTION, STAGING
from sandbox.record import Recorded
from sandbox.scene import Scene
from sandbox.slack.feed import Message
from sandbox.world import OWNER

SECONDS_TO_ROLL_BACK = 10  # DESIGN section 12: from the word to the merge
_DIGEST = 19  # "sha256:" and as much as eyes compare


def play(scene: Scene) -> None:
    """Play the day. Raises: BrokenError, with the first expectation that was not met; BotProcessError."""
    for number, (title, chapter) in enumerate(CHAPTERS.items(), start=1):
        scene.narrator.chapter(f"{number}. {title}")
        chapter(scene)


def first_look(scene: Scene) -> None:
    """Nothing that was there before moves."""
    scene.bot.start()
    scene.entry("the first pass begins the ledger with genesis", "genesis")
    scene.rests("nothing that was there before the first pass moves")


def a_release(scene: Scene) -> None:
    """A new version: staging moves by itself, production is asked about."""
    published(scene, "1.4.2")
    scene.card("the channel is told of a candidate for production", "1.4.2", PRODUCTION, button="Promote")


def approved(scene: Scene) -> None:
    """Asked for by one, approved by two others; a guest and the one who asked are refused."""
    asked = asks(scene, "carol", "1.4.2", "customers wait for the new basket")
    card = card_of(scene, "1.4.2")

    ack = scene.click("dan", card, "Approve")
    scene.answered("a guest's approval is refused privately", "dan", ack)
    ack = scene.click("carol", card, "Approve")
    scene.answered("the refusal is told to Carol alone", "carol", ack)
    scene.entry("the refusal of Carol's own approval is recorded", "refused", why="requester")
    approves(scene, "ada", "1.4.2", asked)

    crash(scene)

    approves(scene, "bob", "1.4.2", asked)
    lands(scene, "1.4.2", asked)
    scene.card("the card says that it landed", "1.4.2", PRODUCTION, "ada", "bob")
    ack = scene.click("ada", card, "Approve")
    scene.answered("a click on the closed card is answered privately: it has landed", "ada", ack, "landed")


def crash(scene: Scene) -> None:
    """The bot is killed, its disk is lost, and it comes back as if nothing had happened."""
    posts, moves = len(scene.posts()), scene.record.tip()
    scene.narrator.tell(
        "machine", "the bot is killed (SIGKILL) and its disk is lost; its signing key is a setting"
    )
    scene.bot.kill()
    scene.bot.start()
    scene.narrator.tell("machine", "the bot runs again, on an empty disk")
    scene.rests("nothing moves because the bot came back")
    if len(scene.posts()) != posts or scene.record.tip() != moves:
        last = scene.posts()[-1].text if scene.posts() else "nothing"
        raise BrokenError("nothing is posted twice when the bot comes back", f"there is: {last}")


def rejected(scene: Scene) -> None:
    """One word ends it, with its reason."""
    published(scene, "1.4.3")
    asked = asks(scene, "ada", "1.4.3", "it is smaller")
    why = "the invoice totals are wrong in staging"
    scene.rejects("bob", card_of(scene, "1.4.3"), why)
    scene.entry(
        "Bob's rejection is recorded with his reason", "reject", promotion=asked["promotion"], note=why
    )
    scene.pull_request(
        "the pull request of what was rejected is closed", "closed", promotion=asked["promotion"]
    )
    scene.card("the card says who rejected it and why", "1.4.3", PRODUCTION, "rejected", why)


def tag_moved(scene: Scene) -> None:
    """What was approved is not what the tag names any more: the approval is void."""
    published(scene, "1.5.0")
    asked = asks(scene, "bob", "1.5.0", "gift cards")
    approves(scene, "ada", "1.5.0", asked)
    digest = scene.world.registry.move(f"{OWNER}/{CHECKOUT}", "1.5.0", "something else under the same name")
    scene.narrator.tell("registry", f"{CHECKOUT} 1.5.0 is moved to another image, {digest[:_DIGEST]}")
    scene.entry("the moved tag voids the approval", "void", promotion=asked["promotion"], why="digest-moved")
    scene.card("the card says that the approval is void", "1.5.0", PRODUCTION, "void", "digest")
    scene.rests("what was voided does not land")
    number = scene.pull_request("the pull request stays open", "open", promotion=asked["promotion"])
    ack = scene.command("bob", f"/promote cancel #{number} because nobody knows what 1.5.0 is any more")
    scene.entry("Bob can cancel what he asked for", "cancel", promotion=asked["promotion"])
    scene.answered("Bob is told that it is cancelled", "bob", ack, "1.5.0")
    scene.pull_request(
        "the pull request of what was cancelled is closed", "closed", promotion=asked["promotion"]
    )


def back_in_production(scene: Scene) -> None:
    """The way back takes one person and seconds."""
    began = time.monotonic()
    ack = scene.command(
        "ada", f"/promote rollback {CHECKOUT} in {PRODUCTION} because baskets lose their coupons"
    )
    back = scene.entry(
        "Ada's rollback is recorded", "rollback", environment=PRODUCTION, person="ada", tag="1.4.1"
    )
    lands(scene, "1.4.1", back)
    took = time.monotonic() - began
    scene.narrator.tell("clock", f"from Ada's word to the merge: {took:.1f} s")
    if took > SECONDS_TO_ROLL_BACK:
        raise BrokenError(f"a rollback is merged within {SECONDS_TO_ROLL_BACK} s", f"it took {took:.1f} s")
    scene.card("the channel sees that production is back", "1.4.1", PRODUCTION, "ada")
    scene.answered("Ada is told that production is back", "ada", ack, "1.4.1")


def back_in_staging(scene: Scene) -> None:
    """Where nobody is asked one person may still go back, and the bot does not undo it."""
    ack = scene.command(
        "carol", f"/promote rollback {CHECKOUT} in {STAGING} because 1.5.0 is not what was tested"
    )
    scene.entry("Carol's rollback is recorded", "rollback", environment=STAGING, person="carol", tag="1.4.3")
    scene.runs(STAGING, "1.4.3")
    scene.answered("Carol is told that staging is back", "carol", ack, "1.4.3")
    scene.rests("the next passes do not undo the rollback", passes=3)


def a_newer_one(scene: Scene) -> None:
    """A newer version is free to move, in staging and in production."""
    published(scene, "1.5.1")
    asked = asks(scene, "carol", "1.5.1", "gift cards, as they were tested")
    approves(scene, "ada", "1.5.1", asked)
    approves(scene, "bob", "1.5.1", asked)
    lands(scene, "1.5.1", asked)
    scene.card("the card says that it landed", "1.5.1", PRODUCTION, "ada", "bob")
    scene.rests("the day ends and nothing moves any more")


CHAPTERS: Mapping[str, Callable[[Scene], None]] = {
    "The bot looks for the first time. Nothing that was there before moves.": first_look,
    "Version 1.4.2 is pushed. Staging moves by itself; production waits for people.": a_release,
    "Carol asks for production. A guest and Carol herself may not approve; Ada and Bob do.": approved,
    "Version 1.4.3 reaches staging. Ada asks for production, and Bob says no.": rejected,
    "Version 1.5.0 is approved by Ada, and then somebody moves the tag.": tag_moved,
    "Production has a problem. Ada rolls it back, alone.": back_in_production,
    "Carol rolls staging back. The bot does not undo it.": back_in_staging,
    "Version 1.5.1 is pushed. It moves in staging, and with two approvals in production.": a_newer_one,
}


# What happens more than once


def published(scene: Scene, version: str) -> None:
    """Push a version, and see staging move to it by a commit of the bot."""
    digest = scene.world.push(CHECKOUT, version)
    scene.narrator.tell("registry", f"{CHECKOUT} {version} is pushed, {digest[:_DIGEST]}")
    scene.entry(f"the bot records staging's move to {version}", "bump", environment=STAGING, tag=version)
    scene.runs(STAGING, version)
    scene.card(f"the channel is told that staging runs {version}", STAGING, version)


def asks(scene: Scene, name: str, version: str, why: str) -> Recorded:
    """Let somebody ask for production, and see the pull request open."""
    ack = scene.command(name, f"/promote {CHECKOUT} {version} to {PRODUCTION} because {why}")
    who = name.capitalize()
    asked = scene.entry(f"{who}'s request is recorded", "propose", person=name, tag=version, note=why)
    scene.pull_request(f"{who}'s request opens a pull request", "open", promotion=asked["promotion"])
    scene.answered(f"{who} is told that it was asked for", name, ack, version)
    return asked


def card_of(scene: Scene, version: str) -> Message:
    """Find the card on which one can decide."""
    return scene.card(f"the card of {version} can be decided on", version, PRODUCTION, button="Approve")


def approves(scene: Scene, name: str, version: str, asked: Recorded) -> None:
    """Let somebody press Approve, and see it recorded and answered."""
    ack = scene.click(name, card_of(scene, version), "Approve")
    who = name.capitalize()
    scene.entry(f"{who}'s approval is recorded", "approve", promotion=asked["promotion"], person=name)
    scene.answered(f"{who} is told that the approval counts", name, ack, version)


def lands(scene: Scene, version: str, asked: Recorded) -> None:
    """See a promotion merged, looked at, and in place."""
    promotion = asked["promotion"]
    scene.entry(f"{version} is merged", "merged", promotion=promotion)
    scene.entry(f"{version} is looked at where it landed", "landed", promotion=promotion)
    scene.pull_request(f"the pull request of {version} is merged", "merged", promotion=promotion)
    scene.runs(PRODUCTION, version)
