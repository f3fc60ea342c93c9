"""The press on rollback -> merged on the remote, with a forge that takes its time: the real bot in the sandbox's world.

`python bench/rollback.py [--rounds 5] [--forge 0.3]`: one person suffices; `--forge` are the seconds of each answer.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.gitops import CHECKOUT, CHECKOUT_AT_FIRST, PRODUCTION
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import opened

TARGET_SECONDS = 10
_LOOKED_EVERY_SECONDS = 0.02
PARTS = ("asked, recorded", "pull request open", "about to merge, recorded", "merged on the remote")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--forge", type=float, default=0.3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as world, BotProcess(world) as bot:
        scene = Scene(world, bot, Narrator(world, lambda _: None))
        day.first_look(scene)
        rounds = [one_round(scene, f"1.5.{number}", options.forge) for number in range(options.rounds)]
    medians = [statistics.median(times) for times in zip(*(times for times, _ in rounds), strict=True)]
    requests = statistics.median(count for _, count in rounds)
    print(f"{options.rounds} rounds, medians; the forge answers after {options.forge:g} s")
    before = 0.0
    for name, at in zip(PARTS, medians, strict=True):
        print(f"{name:26} {at - before:6.2f} s  {at:6.2f} s after the press")
        before = at
    slowest = max(times[-1] for times, _ in rounds)
    print(f"requests to the forge until then: {requests:g}; slowest round {slowest:.2f} s")
    print(f"press -> merged {medians[-1]:.2f} s  target <= {TARGET_SECONDS} s")


def one_round(scene: Scene, version: str, forge_seconds: float) -> tuple[list[float], int]:
    """Bring a version to production and take it back; seconds after the press, and requests to the forge."""
    day.published(scene, version)
    asked = day.asks(scene, "carol", version, "it is there")
    for name in ("ada", "bob"):
        day.approves(scene, name, version, asked)
    day.lands(scene, version, asked)
    scene.forge.answer_after(forge_seconds)
    time.sleep(3)  # passes go on meanwhile, with the slow forge
    seen, known = len(scene.forge.seen()), len(scene.record.entries())
    began = time.monotonic()
    scene.command("ada", f"/promote rollback {CHECKOUT} in {PRODUCTION} because {version} is slow")
    times: dict[str, float] = {}
    while len(times) < len(PARTS):
        for name in PARTS:
            if name not in times and is_there(scene, name, known):
                times[name] = time.monotonic() - began
        scene.bot.check()
        if time.monotonic() - began > 20 * TARGET_SECONDS:
            raise SystemExit(
                f"not merged after {20 * TARGET_SECONDS} s; seen: {', '.join(times) or 'nothing'}"
            )
        time.sleep(_LOOKED_EVERY_SECONDS)
    count = len(scene.forge.seen()) - seen
    scene.forge.answer_after(0)
    day.lands(scene, CHECKOUT_AT_FIRST, scene.entry("the way back", "rollback", environment=PRODUCTION))
    return sorted(times.values()), count


def is_there(scene: Scene, part: str, known: int) -> bool:
    """Whether a part of a rollback is over; ``known`` entries were there before."""
    entries = scene.record.entries()[known:]
    promotion = next((one["promotion"] for one in entries if one.kind == "rollback"), "")
    match part:
        case "asked, recorded":
            return bool(promotion)
        case "pull request open":
            pulls = scene.forge.snapshot()["pulls"]
            return bool(promotion) and any(str(one["head"]).endswith(f"/{promotion}") for one in pulls)
        case "about to merge, recorded":
            return any(one.kind == "intent" for one in entries)
        case _:
            return scene.record.pin(PRODUCTION)[0] == CHECKOUT_AT_FIRST


if __name__ == "__main__":
    main()
