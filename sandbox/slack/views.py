"""The modals and App Homes that people have before them: a stack of at most three modals for each person."""

import secrets
import threading
from dataclasses import replace
from typing import Any

from sandbox.slack.block_kit import with_ids
from sandbox.slack.feed import EventKind, Feed, View
from sandbox.slack.tickets import SlackRefusal

MAX_STACK = 3  # Slack, "Modals": up to three views at a time


class Views:
    """Opens, pushes, updates and closes views; thread-safe."""

    def __init__(self, feed: Feed, lock: threading.RLock) -> None:
        self._feed = feed
        self._lock = lock
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    def stack(self, user: str) -> tuple[View, ...]:
        """Return the modals of a person, the one on top last."""
        with self._lock:
            return tuple(self._stacks.get(user, ()))

    def top(self, user: str) -> View | None:
        """Return the modal that a person sees."""
        stack = self.stack(user)
        return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        """Return a person's App Home."""
        with self._lock:
            return self._homes.get(user)

    def open(self, user: str, payload: dict[str, Any]) -> View:
        """Put a modal before a person; what was open goes."""
        with self._lock:
            self._refuse_known_external(payload)
            for old in reversed(self._stacks.pop(user, [])):
                self._feed.add(EventKind.VIEW_CLOSED, user, view=old, only_for=user)
            return self._place(EventKind.VIEW_OPENED, _new(user, payload))

    def push(self, user: str, payload: dict[str, Any], *, onto: str) -> View:
        """Put a modal over the one called ``onto``. Raises: SlackRefusal."""
        with self._lock:
            stack = self._stacks.get(user, [])
            below = next((view for view in stack if view.id == onto), None)
            if below is None:
                raise SlackRefusal("not_found")
            if len(stack) >= MAX_STACK:
                raise SlackRefusal("push_limit_reached")
            self._refuse_known_external(payload)
            return self._place(EventKind.VIEW_PUSHED, _new(user, payload, below))

    def update(self, payload: dict[str, Any], *, view: str = "", external: str = "", hash_: str = "") -> View:
        """Change an open modal, found by its id or external id. Raises: SlackRefusal."""
        with self._lock:
            old = self.find(view, external)
            if hash_ and hash_ != old.hash:
                raise SlackRefusal("hash_conflict")
            new = replace(old, payload=_shown(payload), hash=_hash())
            stack = self._stacks[old.user]
            stack[stack.index(old)] = new
            self._feed.add(EventKind.VIEW_UPDATED, new.user, view=new, only_for=new.user)
            return new

    def publish(self, user: str, payload: dict[str, Any], hash_: str = "") -> View:
        """Set a person's App Home. Raises: SlackRefusal."""
        with self._lock:
            old = self._homes.get(user)
            if hash_ and (old is None or hash_ != old.hash):
                raise SlackRefusal("hash_conflict")
            fresh = _new(user, payload)
            new = replace(fresh, id=old.id, root=old.root) if old else fresh
            self._homes[user] = new
            self._feed.add(EventKind.HOME_PUBLISHED, user, view=new, only_for=user)
            return new

    def close(self, view: str, *, all_of_them: bool = False) -> None:
        """Take away a modal and what lies over it, or the whole stack."""
        with self._lock:
            for user, stack in self._stacks.items():
                places = [index for index, one in enumerate(stack) if one.id == view]
                if places:
                    gone = stack[0 if all_of_them else places[0] :]
                    self._stacks[user] = stack[: -len(gone)]
                    for one in reversed(gone):
                        self._feed.add(EventKind.VIEW_CLOSED, user, view=one, only_for=user)
                    return

    def find(self, view: str = "", external: str = "") -> View:
        """Return an open modal. Raises: SlackRefusal."""
        with self._lock:
            for stack in self._stacks.values():
                for one in stack:
                    if one.id == view or (external and one.payload.get("external_id") == external):
                        return one
        raise SlackRefusal("not_found")

    def _place(self, kind: EventKind, view: View) -> View:
        self._stacks.setdefault(view.user, []).append(view)
        self._feed.add(kind, view.user, view=view, only_for=view.user)
        return view

    def _refuse_known_external(self, payload: dict[str, Any]) -> None:
        external = payload.get("external_id")
        known = [one.payload.get("external_id") for stack in self._stacks.values() for one in stack]
        if external and external in known:
            raise SlackRefusal("duplicate_external_id")


def _new(user: str, payload: dict[str, Any], below: View | None = None) -> View:
    key = "V" + secrets.token_hex(5).upper()
    root = below.root if below else key
    return View(key, user, _shown(payload), _hash(), root, below.id if below else "")


def _shown(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "blocks": list(with_ids(payload.get("blocks", ())))}


def _hash() -> str:
    return f"{secrets.randbelow(10**10):010d}.{secrets.token_hex(4)}"
