"""A commit with trailers that somebody copied is told once, in the channel of the environment that it names."""

from pathlib import Path

from bot.doctor.doctor import repository_checks
from bot.settings import load
from tests.scenarios.offices import office_in

COPIED = ("Promotion", "Environment", "Ledger", "Ledger-Key")


def test_copied_trailers_are_told_once_in_their_channel_and_by_the_doctor(tmp_path: Path) -> None:
    with office_in(tmp_path) as office:
        office.world.push("checkout-api", "1.4.2")
        office.look()
        git, workspace = office.world.git, office.world.slack.workspace
        lines = git.text("show", "-s", "--format=%(trailers:only)", "main").splitlines()
        copied = "\n".join(line for line in lines if line.startswith(COPIED))
        assert "Ledger-Key: bump/" in copied
        commit = office.world.forge.push_to_branch(
            "main", {"README.md": "a shop\n"}, f"Mend\n\n{copied}\n", login="bob"
        )

        office.look()
        office.look()

        told = [
            one.text
            for one in workspace.messages(workspace.channel("deploys").id)
            if "they are copied or made up" in one.text
        ]
        assert [f"Commit {str(commit)[:7]}" in one for one in told] == [True]
        assert office.engine.desk.ledger.read_only_because(office.engine.desk.mirror.tips()) == ""
        settings = {
            **office.world.settings,
            "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "doctor"),
        }
        checks, _ = repository_checks(load(settings))
        assert [one.what for one in checks if "says that it is ours" in one.detail] == ["trailers"]
