"""Crash points: places before and after each effect where a test may kill the process."""

import os
import signal
from dataclasses import dataclass

from bot.errors import SettingsError

# Every name that is passed to point(); a new call to the outside world gets its pair here first.
POINTS: dict[str, str] = {
    "before-clone-ready": "the bare mirror is fetched but does not yet stand in its place",
    "before-bump-push": "a move without approvals and its entry are built, nothing is sent",
    "after-bump-push": "they are on the remote, nothing here knows it",
    "before-ledger-push": "entries are built and signed, nothing is sent",
    "after-ledger-push": "entries are on the remote, nothing here knows it",
    "before-branch-push": "a promotion's head and its entry are built, nothing is sent",
    "after-branch-push": "they are on the remote, no pull request is open yet",
    "before-branch-delete": "a promotion has ended, its branch is still there",
    "after-branch-delete": "the branch is gone, nothing here knows it",
    "before-pull-request": "the forge is about to be asked for a pull request",
    "after-pull-request": "the pull request is open, nothing here knows it",
    "before-describe": "the forge is about to be asked to change a pull request's words",
    "after-describe": "the words are changed, nothing here knows it",
    "before-close": "the forge is about to be asked to close a pull request",
    "after-close": "the pull request is closed, nothing here knows it",
    "before-status": "the forge is about to be told a commit status or check",
    "after-status": "the status is there, nothing here knows it",
    "before-comment": "the forge is about to be given a comment",
    "after-comment": "the comment is there, nothing here knows it",
    "before-merge": "the intent is on the remote, the forge is about to be asked to merge",
    "after-merge": "the forge has merged, nothing here knows it",
    "before-message": "the chat is about to be given a new message",
    "after-message": "the message is there, its place is not remembered",
    "before-edit": "the chat is about to be given an edit of a message",
    "after-edit": "the message is edited, nothing here knows it",
    "before-withdraw": "the chat is about to be asked to delete a message that stands twice",
    "after-withdraw": "the message is gone, nothing here knows it",
    "before-answer": "a person's word was taken, they are about to be answered",
    "after-answer": "they are answered",
    "before-view": "a form or App Home is about to be given to the chat",
    "after-view": "it is there",
    "before-index": "the index is about to be written",
    "after-index": "the index is written",
}


@dataclass(slots=True)
class _Trap:
    """The point that kills, and how often it may still be passed."""

    name: str
    left: int


_armed: list[_Trap] = []


def arm(text: str) -> None:
    """Let the n-th passing of a point kill the process: ``after-merge:2``; empty disarms. Raises: SettingsError."""
    name, colon, count = text.strip().partition(":")
    _armed.clear()
    if not name and not colon:
        return
    if name not in POINTS:
        raise SettingsError(f"{name[:60]!r} is not a crash point; known are {', '.join(sorted(POINTS))}")
    if colon and not (count.isascii() and count.isdigit() and int(count) > 0):
        raise SettingsError(f"{text[:60]!r} is not a crash point; expected NAME or NAME:COUNT, count from 1")
    _armed.append(_Trap(name, int(count) if colon else 1))


def point(name: str) -> None:
    """Pass a crash point; where it is armed for this passing, die at once as by kill -9. Raises: ValueError."""
    if name not in POINTS:
        raise ValueError(f"{name!r} is not in the table of crash points")
    for trap in _armed:
        if trap.name == name:
            trap.left -= 1
            if trap.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
