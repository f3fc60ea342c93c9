"""What the doctor sees of keyless signatures: is what verifies them installed, and can each trust root be read?"""

from collections.abc import Iterator

from bot.doctor.doctor import Check, Seen, fail, ok
from bot.errors import BotError
from bot.registries.signatures import EXTRA, TRUST_ROOT, CannotJudge, is_installed, is_keyless, judge_of
from policies.rules.rules import OutsideGate, Rules


def signature_checks(seen: Seen) -> Iterator[Check]:
    """Look at each gate that asks for an identity; nothing is said where none does."""
    found = {gate.settings.get(TRUST_ROOT): gate for gate in keyless_gates(seen.rules)} if seen.rules else {}
    if found and not is_installed():
        detail = f"the rules ask for keyless signatures, and {EXTRA} is not installed"
        yield fail(
            "signatures", detail, "pip install --requirement requirements/sigstore.txt, see docs/gates.md"
        )
        return
    for gate in found.values():
        yield _rooted(seen, gate)


def keyless_gates(rules: Rules) -> Iterator[OutsideGate]:
    """Yield the gates of the rules that ask for an identity."""
    for where in (*rules.environments.values(), *rules.exceptions.values()):
        yield from (one for one in where.gates if one.kind == "signature" and is_keyless(one.settings))


def _rooted(seen: Seen, gate: OutsideGate) -> Check:
    path = "".join(gate.settings.get(TRUST_ROOT, ()))
    remedy = f"mend {TRUST_ROOT} at {gate.at}"
    try:
        judge = judge_of(gate.settings, seen.desk.book.file(seen.tips.target, path))
    except BotError as error:
        return fail("signatures", f"{path}: {error}", remedy)
    if isinstance(judge, CannotJudge):
        return fail("signatures", judge.detail, remedy)
    return ok("signatures", f"keyless ones can be verified; the trust root is {path}")
