"""The two commands that need no setting: ``select`` answers for a policy, ``set`` writes into a folder."""

from pathlib import Path
from typing import Annotated

import typer

from handlers.shell import select
from handlers.shell import set as setting
from handlers.shell.tag_sources import Live

Json = Annotated[bool, typer.Option("--json", help="Print JSON; its schema names its version.")]
Http = Annotated[bool, typer.Option("--http", help="Allow plain HTTP to the registry.")]
Private = Annotated[bool, typer.Option("--private", help="Allow a registry at a private address.")]
DockerConfig = Annotated[
    Path, typer.Option("--docker-config", envvar="DOCKER_CONFIG", help="The folder with registry logins.")
]
_DOCKER = Path("~/.docker")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("select")(select_)
    app.command("set")(set_)


def select_(
    *,
    policy: Annotated[
        list[Path] | None,
        typer.Option("--policy", metavar="FILE", help="Flux documents with an ImagePolicy; may be repeated."),
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NS/NAME", help="Which ImagePolicy.")] = "",
    versions: Annotated[
        str, typer.Option("--versions", metavar="VERSIONS", help="A range, or {numerical: asc, tags: ...}.")
    ] = "",
    tags: Annotated[
        str, typer.Option("--tags", metavar="FILE", help="Tags, one a line or JSON; - is stdin.")
    ] = "",
    image: Annotated[
        str, typer.Option("--image", metavar="HOST/PATH", help="Ask this repository for its tags.")
    ] = "",
    docker_config: DockerConfig = _DOCKER,
    http: Http = False,
    private: Private = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show what became of every tag.")] = False,
    as_json: Json = False,
) -> int:
    """Print the tag that a policy chooses; exit 1 when it chooses none."""
    return select.run(
        policies=policy or (),
        name=name,
        versions=versions,
        tags=tags,
        image=image,
        live=Live(docker_config.expanduser(), http=http, private=private),
        explain=explain,
        as_json=as_json,
    )


def set_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of manifests, or one file.")],
    *,
    image: Annotated[
        list[str] | None,
        typer.Option(
            "--image", metavar="NS:NAME=IMAGE:TAG", help="What a marker's policy says; may be repeated."
        ),
    ] = None,
    policies: Annotated[
        list[Path] | None,
        typer.Option("--policies", metavar="PATH", help="Flux documents to choose by; may be repeated."),
    ] = None,
    tags: Annotated[
        str, typer.Option("--tags", metavar="FILE", help="JSON: {REPOSITORY: [TAG, ...]}; - is stdin.")
    ] = "",
    all_to: Annotated[
        str, typer.Option("--all-to", metavar="TAG[@DIGEST]", help="Move every image reference there is.")
    ] = "",
    docker_config: DockerConfig = _DOCKER,
    live: Annotated[bool, typer.Option("--live", help="Ask registries for the tags.")] = False,
    http: Http = False,
    private: Private = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show a diff; write nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 for notes, too.")] = False,
    as_json: Json = False,
) -> int:
    """Write images where markers ask for them, and nothing else; name what was not done."""
    asked = Live(docker_config.expanduser(), http=http, private=private)
    return setting.run(
        folder=folder,
        images=image or (),
        policies=policies or (),
        tags=tags,
        all_to=all_to,
        live=asked if live else None,
        dry_run=dry_run,
        strict=strict,
        as_json=as_json,
    )
