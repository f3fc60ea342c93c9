"""Which folders belong to the cluster of an environment, so that one name can stand in several clusters."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from policies.flux.documents import FluxDocuments, Reason, policy_named
from policies.manifests.places import ProblemCode
from policies.manifests.setters import in_scope
from policies.rulebook.path import PLACEHOLDER
from policies.rulebook.seen import Flux, Sync
from policies.rules.rules import Environment

_UNREAD = frozenset(ProblemCode) - frozenset(Reason)  # what keeps a file from being read


class Clusters:
    """The folders of each environment: named by ``cluster``, else found through Flux's own Kustomizations."""

    def __init__(self, environments: Iterable[Environment], flux: Flux) -> None:
        self._documents = flux.documents
        self._folders = {one.name: one.clusters or _reached(one.paths, flux.syncs) for one in environments}

    def documents_of(self, environment: str, policy: str) -> FluxDocuments:
        """Return the documents in which a policy's name is looked up for an environment.

        The policies of its own folders where one has the name, else those that no other environment's folders hold;
        but none where a file of its own folders cannot be read, which may have it.
        """
        own = self._folders[environment]
        named = [one for one in self._documents.policies if one.name.name == policy_named(policy).name]
        mine = [one for one in named if _is_in(one.path, own)]
        others = [folder for name, held in self._folders.items() if name != environment for folder in held]
        free = [one for one in named if not _is_in(one.path, others)]
        unread = [one for one in self._documents.problems if one.code in _UNREAD and _is_in(one.path, own)]
        return replace(self._documents, policies=tuple(mine or ([] if unread else free)))


def _reached(paths: Sequence[str], syncs: Sequence[Sync]) -> tuple[str, ...]:
    """Return the folders that one cluster reads: those that apply ``paths``, and all that these apply."""
    found = {path: None for path in paths if PLACEHOLDER not in path}
    patterns = [re.compile(re.escape(path).replace(PLACEHOLDER, "[^/]+") + "(?:/.*)?") for path in paths]
    waiting = list(syncs)
    while True:
        near = [one for one in waiting if _applies(one, paths, patterns) or _is_in(one.path, found)]
        if not near:
            return tuple(found)
        waiting = [one for one in waiting if one not in near]
        for sync in near:
            found[sync.path.rpartition("/")[0]] = None
            found[sync.folder] = None


def _applies(sync: Sync, paths: Sequence[str], patterns: Sequence[re.Pattern[str]]) -> bool:
    """Whether a Kustomization applies one of these paths, a part of one, or what holds one."""
    parts = any(pattern.fullmatch(sync.folder) for pattern in patterns)
    return parts or any(in_scope(path, sync.folder) for path in paths)


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(in_scope(path, folder) for folder in folders)
