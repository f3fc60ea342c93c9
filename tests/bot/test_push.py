"""What a push can be told: four answers, and never a success that was none."""

import pytest

from bot.repository.git import Answer
from bot.repository.objects import Oid
from bot.repository.push import Lost, Ok, PushAnswer, RefUpdate, Refused, Unknown, classify
from policies.errors import PolicyError

OLD, NEW = Oid("1" * 40), Oid("2" * 40)


def answer(reason: str = "", err: str = "", code: int = 1) -> Answer:
    line = f"To /srv/x\n!\t{NEW}:refs/heads/main\t{reason}\nDone\n" if reason else ""
    return Answer(code, line.encode(), err)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (answer("[rejected] (fetch first)"), Lost),
        (answer("[rejected] (non-fast-forward)"), Lost),
        (answer("[rejected] (stale info)"), Lost),
        (answer("[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)"), Lost),
        (answer("[remote rejected] (incorrect old value provided)"), Lost),
        (answer("[remote rejected] (failed to update ref)"), Lost),
        (answer("[remote rejected] (atomic transaction failed)", "remote: error: cannot lock ref 'x'"), Lost),
        (answer("[remote rejected] (atomic transaction failed)"), Unknown),
        (answer("[remote rejected] (failed)"), Unknown),
        (answer("[remote failure] (remote failed to report status)"), Unknown),
        (answer(err="fatal: unable to access 'https://h/': The requested URL returned error: 502"), Unknown),
        (answer(err="error: RPC failed; curl 56 Recv failure: Connection reset by peer"), Unknown),
        (answer(err="fatal: the remote end hung up unexpectedly"), Unknown),
        (answer(code=-9), Unknown),
        (answer(code=128), Unknown),
        (answer("[remote rejected] (pre-receive hook declined)"), Refused),
        (answer("[remote rejected] (push declined due to repository rule violations)"), Refused),
        (answer("[remote rejected] (protected branch hook declined)"), Refused),
        (answer("[remote rejected] (deletion prohibited)"), Refused),
        (answer("[remote rejected] (branch is currently checked out)"), Refused),
        (answer(err="remote: Permission to a/b denied to bot.\nfatal: ... returned error: 403"), Refused),
        (answer(err="fatal: Authentication failed for 'https://h/'"), Refused),
        (answer(err="git@h: Permission denied (publickey)."), Refused),
        (answer(err="fatal: the receiving end does not support --atomic push"), Refused),
        (answer("[remote rejected] (unpacker error)", "remote: fatal: fsck error in packed object"), Refused),
        (answer(code=0), Ok),
    ],
)
def test_answers_are_sorted_by_what_to_do_next(said: Answer, kind: type[PushAnswer]) -> None:
    assert isinstance(classify(said), kind)


def test_the_hosts_words_are_passed_on_as_one_line() -> None:
    said = classify(
        answer("[remote rejected] (pre-receive hook declined)", "remote: GH013: needs\x1b[1m a review\n")
    )

    assert isinstance(said, Refused)
    assert said.detail == "remote: GH013: needs[1m a review; [remote rejected] (pre-receive hook declined)"


@pytest.mark.parametrize(
    ("old", "new", "arguments"),
    [
        (OLD, NEW, (f"--force-with-lease=refs/heads/x:{OLD}", f"{NEW}:refs/heads/x")),
        (None, NEW, ("--force-with-lease=refs/heads/x:", f"{NEW}:refs/heads/x")),
        (OLD, None, (f"--force-with-lease=refs/heads/x:{OLD}", ":refs/heads/x")),
    ],
)
def test_every_branch_has_its_condition(old: Oid | None, new: Oid | None, arguments: tuple[str, str]) -> None:
    assert RefUpdate("refs/heads/x", old, new).arguments() == arguments


def test_a_condition_is_never_half_said() -> None:
    for update in (
        RefUpdate("refs/heads/x", Oid(""), NEW),
        RefUpdate("x", OLD, NEW),
        RefUpdate("refs/tags/x", OLD, NEW),
    ):
        with pytest.raises(PolicyError):
            update.arguments()
