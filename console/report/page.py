"""The outcome of a check as one page that a lawyer, an editor or a judge can read, keep and print.

It says what is proven and by whose word, and as plainly what is not. One file: no script, nothing loaded from
anywhere, no name of a file. Everything that it shows was checked, or is marked as the service's own word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from console.report import words
from console.report.leaks import attacked
from console.report.markup import Content, Markup, bullets, code, element, section, table, text
from console.report.style import CONTENT_POLICY, STYLE
from console.report.untouched_section import untouched
from console.report.verdict import Verdict, is_sound_alone
from provenance.anchors.address import format_address
from provenance.anchors.checking import Anchored
from provenance.checklist import Step
from provenance.checkpoint import Checkpoint
from provenance.keys import HybridPublicKey
from provenance.note import MLDSA44_COSIGNATURE
from provenance.statements import JobFacts
from provenance.statements.fields import parse_instant
from provenance.trust import Trust
from provenance.verifier import VerifiedResult

_TIME = "%d %B %Y, %H:%M:%S UTC"
_PAIR = ("What", "Value")
_MARKS = {
    "ok": ("ok", "✓ holds"),
    "failed": ("failed", "✗ does not hold"),
    "not reached": ("unreached", "– not checked"),
    "not asked": ("unreached", "– not asked for"),
    "not checked": ("unreached", "– not checked"),
}


def render(verdict: Verdict, checked_at: datetime) -> str:
    """Makes the page.

    Args:
        verdict: of `verdict.check`.
        checked_at: the moment of the check on the checker's own clock, with a time zone.
    """
    holds = verdict.failure is None and verdict.result is not None
    title = "Verified" if holds else "Not verified"
    return whole_page(f"{title}: report on an anonymized file", _parts(verdict, checked_at))


def whole_page(title: str, parts: Iterator[Markup]) -> str:
    """Makes a page of its parts."""
    body = "".join(part.source for part in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _parts(verdict: Verdict, checked_at: datetime) -> Iterator[Markup]:
    yield element("h1", "Report on an anonymized file")
    yield element(
        "p", f"Checked on {clock(checked_at)}, by the clock of the computer that checked.", name="quiet"
    )
    yield _banner(verdict)
    result = verdict.result
    if result is not None and verdict.failure is None:
        opened = any(step.step == "commitment_opens" for step in verdict.steps)
        yield _proven(result.facts, opened=opened)
        yield _not_proven(verdict, opened=opened)
        yield from untouched(verdict)
        yield _stated(result.facts)
        yield attacked(result.facts)
        yield _times(result, verdict.anchored)
        yield _walls(result.facts)
        yield _signers(verdict)
        yield steps_table(verdict.steps)
    else:
        yield steps_table(verdict.steps)
        yield from untouched(verdict)
        yield _examined(verdict)
        yield _not_proven(verdict, opened=False)
        yield _signers(verdict)


def _banner(verdict: Verdict) -> Markup:
    if verdict.failure is None:
        return element(
            "div",
            element("strong", "Verified: every check held."),
            "To the last byte, the file is the one that the service whose keys stand below made and signed. "
            "Please read what this does not prove.",
            name="verdict holds",
        )
    failure = verdict.failure
    return element(
        "div",
        element("strong", "Not verified: a check did not hold."),
        element("p", f"Why: {failure.message}. ", words.ADVICE[failure.step]),
        element("p", "Step ", code(failure.step), ", code ", code(failure.code), "."),
        element("p", "A failed check does not say who is at fault, or whether anybody is."),
        name="verdict fails",
    )


def steps_table(steps: Sequence[Step]) -> Markup:
    """Makes the section that tells each check and its outcome."""
    rows: list[tuple[Content, ...]] = []
    for step in steps:
        name, mark = _MARKS[step.status]
        rows.append((words.STEPS[step.step], element("span", mark, name=f"mark {name}"), code(step.step)))
    caption = "The checks in their order. The first that does not hold ends the check."
    return section("What was checked", table(caption, ("If it holds", "Outcome", "Name"), rows))


def _examined(verdict: Verdict) -> Markup:
    if verdict.examined is None:
        return section(
            "Which file", element("p", "The file has no end that could be read, so nothing names it.")
        )
    rows: list[tuple[Content, ...]] = [
        ("SHA-256", code(verdict.examined.sha256)),
        ("Size", f"{verdict.examined.size:,} bytes"),
    ]
    return section("Which file", table("The file that was checked, by what identifies it", _PAIR, rows))


def _proven(facts: JobFacts, *, opened: bool) -> Markup:
    items: list[Content] = [
        "This file has not been changed since it was made: one changed bit would have failed the check.",
        "The statement about it was signed by a program that the service below vouched for, with every "
        "signature that it demands: " + ", ".join(words.ALGORITHMS[name] for name in facts.signatures) + ".",
        "The statement stands in the service's log, signed with both of the log's keys.",
    ]
    if opened:
        items.append("The original that was held beside this file is the one that was worked on.")
    file = table(
        "The file, by what identifies it",
        _PAIR,
        [
            ("SHA-256", code(facts.result_sha256)),
            ("Size", f"{facts.result_bytes:,} bytes"),
            ("Kind", facts.media_type),
        ],
    )
    return section("What is proven", bullets(items), file)


# Rows that have no meaning for a file of sound alone.
_OF_PICTURES = (
    "Frames (pictures)",
    "Frames with a face found",
    "Faces followed",
    "Covered besides faces",
    "The camera",
)


def _stated(facts: JobFacts) -> Markup:
    models = "; ".join(f"{name} {digest}" for name, digest in facts.models.items())
    rows: list[tuple[Content, ...]] = [
        ("Frames (pictures)", f"{facts.frames:,}"),
        (
            "Frames with a face found",
            f"{facts.frames_with_faces:,}, each face found {words.EFFECTS[facts.effect]}",
        ),
        ("Faces followed", f"{facts.tracks:,}"),
        ("Covered besides faces", _also_covered(facts)),
        ("Decided by a person who looked it over", _decided(facts)),
        ("Recognized as enrolled", _recognized(facts)),
        ("Compared under encryption", _matched(facts)),
        ("Who can have it uncovered", _kept(facts)),
        ("Sound", _sound(facts)),
        ("The camera", words.SENSOR_NOISE[facts.sensor_noise]),
        ("Read back when it was done", _quality(facts)),
        ("Trade of speed for quality", words.MODES[facts.mode]),
        ("Worked out by", f"{words.DEVICES[facts.device]}; faces found with {words.ENGINES[facts.engine]}"),
        ("Detectors, by SHA-256", code(models) if models else "none"),
        ("Program, by measurement", code(facts.measurement)),
        ("Rules (policy), by SHA-256", code(facts.policy_sha256)),
        ("The original in pieces, by what commits to it", _pieces(facts)),
        ("Job", code(facts.job_id)),
    ]
    if is_sound_alone(facts):
        rows = [row for row in rows if row[0] not in _OF_PICTURES]
    return section(
        "What the program says it did",
        element(
            "p", "Signed by the program that did the work. It is that program's word; nobody counted again."
        ),
        table("The job, in the program's words", _PAIR, rows),
    )


def _pieces(facts: JobFacts) -> Content:
    if facts.pieces is None:
        return "Nothing: no part of it can be shown by this statement."
    if not facts.untouched:
        return code(facts.pieces)
    share = facts.untouched["open_permille"] / 10
    return element(
        "span", code(facts.pieces), f"; {share:.1f} % of the picture left as it was, by its own count"
    )


def _decided(facts: JobFacts) -> str:
    if facts.decisions_commitment is None:
        return "Nothing: nobody looked it over before it was made."
    if not facts.decided:
        return "Somebody looked it over and left it as it was."
    return "; ".join(f"{count:,} {words.DECISIONS[word]}" for word, count in facts.decided.items())


def _recognized(facts: JobFacts) -> str:
    if not facts.recognized:
        return "Nobody was."
    told = (words.RECOGNIZED[word].format(f"{count:,}") for word, count in facts.recognized.items())
    return "; ".join((*told, "by a network of the operator's choosing, which can be mistaken."))


def _matched(facts: JobFacts) -> str:
    if not facts.matched:
        return "Nobody was."
    told = (words.MATCHED[word].format(f"{count:,}") for word, count in facts.matched.items())
    return "; ".join((*told, "what came of it, only the templates' owner can read."))


def _kept(facts: JobFacts) -> Content:
    if not facts.recovery:
        return "Nobody: nothing of what was covered was kept."
    policy = code(facts.recovery["custody_policy"])
    return element("span", "Custodians together, on record, by this custody policy: ", policy)


def _also_covered(facts: JobFacts) -> str:
    if not facts.also_covered:
        return "Nothing was looked for: bodies, text and number plates stay."
    return "; ".join(
        f"{words.KINDS[kind]}, {words.EFFECTS[effect]}, in {facts.frames_also_covered[kind]:,} frames"
        for kind, effect in facts.also_covered.items()
    )


def _sound(facts: JobFacts) -> str:
    told = [words.AUDIO[facts.audio]]
    if facts.sound_seconds:
        done = "; ".join(words.SOUND_DONE[word].format(f"{n:,}") for word, n in facts.sound_seconds.items())
        told.append(f"Voices heard: {facts.voices:,}. {done[0].upper()}{done[1:]}.")
        told.append(
            "Spoken names, numbers and places were not searched for."
            if facts.words_bleeped is None
            else f"Words on the policy's list that were heard and bleeped: {facts.words_bleeped:,}. "
            "Not every word is recognized."
        )
    return " ".join(told)


def _quality(facts: JobFacts) -> str:
    if not facts.quality:
        return "Nothing was measured: a still is written once, as it is."
    short = "; ".join(words.QUALITY_CHECKS[check] for check in facts.quality_short)
    figures = "; ".join(words.QUALITY[name].format(f"{figure:,}") for name, figure in facts.quality.items())
    outcome = f"It falls short: {short}" if short else "It is as it should be"
    return f"{outcome}. {figures[0].upper()}{figures[1:]}."


def _times(result: VerifiedResult, anchored: Anchored | None) -> Markup:
    rows: list[tuple[Content, ...]] = [
        ("The program got the key to the upload", _plain(result.release.released_at), "the service"),
        ("Work began", _plain(result.facts.started_at), "the program"),
        ("Work ended", _plain(result.facts.finished_at), "the program"),
        ("The record was signed", _signed_at(result.checkpoint), "the log"),
        *_stamped(result),
        *_anchored(anchored),
    ]
    place = (
        f"Entry {result.log_index:,} of a log that had {result.checkpoint.size:,} entries when it was signed."
    )
    return section(
        "When",
        table("Times, and whose clock says so", ("What", "When", "By the clock of"), rows),
        *(element("p", remark.sentence) for remark in result.remarks),
        element("p", place, " Entries are counted from 0."),
    )


def _stamped(result: VerifiedResult) -> Iterator[tuple[Content, ...]]:
    """Those that are believed: of any other, nobody vouches for the time."""
    for stamp in result.timestamps:
        if stamp.root is None:
            continue
        accuracy = stamp.token.accuracy
        within = "" if accuracy is None else f", within {accuracy.total_seconds():g} seconds"
        whose = f"a time-stamping authority under {stamp.root.name}, "
        yield (
            "The statement was there already",
            clock(stamp.token.at) + within,
            element("span", whose, code(stamp.root.sha256)),
        )


def _anchored(anchored: Anchored | None) -> Iterator[tuple[Content, ...]]:
    if anchored is None:
        return
    block = anchored.anchor.block
    said = anchored.mined_at
    whose = f"whoever proposed block {block.number:,} of chain {anchored.place.chain_id}, "
    yield (
        "The record was on a public chain already",
        "beyond the calendar" if said is None else _plain(said),
        element("span", whose, code("0x" + block.block_hash.hex())),
    )


def _walls(facts: JobFacts) -> Markup:
    rows: list[tuple[Content, ...]] = [(code(wall), words.WALLS[wall]) for wall in facts.walls]
    return section(
        "How the program was kept apart",
        element("p", words.TIERS[facts.tier], " Tier: ", code(facts.tier), "."),
        table("Walls that stood around the program while it saw the upload", ("Wall", "What it did"), rows)
        if rows
        else element("p", "No wall is listed."),
    )


def _not_proven(verdict: Verdict, *, opened: bool) -> Markup:
    items: list[Content] = [
        "What the recording shows: that it is true, complete, or from the place and time that somebody says.",
        "Who is in it, who recorded it, and who sent it. The proof holds nothing about people.",
        "That no face can be seen. A face that no detector found was not covered: look for yourself. "
        "The same holds for whole people, text and number plates, where they were looked for at all.",
        "That nobody can be recognized by voice, gait, clothes, surroundings or text in the picture.",
        "That the original, or another copy of it, does not exist elsewhere.",
        "That whoever runs the service is honest. The proof shows whose keys signed.",
        _doubtful_times(verdict),
    ]
    kept = 0 if verdict.result is None else verdict.result.facts.decided.get("keep", 0)
    if kept:
        items.insert(0, f"That everybody in it is covered: a person decided to keep {kept:,} visible.")
    if verdict.result is not None and verdict.result.facts.recognized:
        items.insert(
            0,
            "That everybody in it is covered: whom a network took for somebody enrolled is covered less, or "
            "not at all. It can be mistaken, and cannot tell a face from its photograph.",
        )
    if verdict.anchored is not None:
        items.append("That the block named below is on the chain. Whoever checked said so.")
    if not opened:
        items.insert(
            1,
            "Which original it was made from. Only whoever holds the original and its secret can show that.",
        )
    if verdict.result is None:
        items.insert(0, "Anything that the proof or the file says: a check did not hold.")
    elif verdict.released is None:
        items.append("That the program's version is a released one. No release was held beside this proof.")
    return section("What is not proven", bullets(items))


def _doubtful_times(verdict: Verdict) -> str:
    stamped = verdict.result is not None and any(
        stamp.root is not None for stamp in verdict.result.timestamps
    )
    if not stamped and verdict.anchored is None:
        return "The times, by any clock but the service's own."
    return "When the work was done: the clocks of others show that it was by then, and no more."


def _signers(verdict: Verdict) -> Markup:
    if verdict.trust is None:
        return section(
            "Who says so",
            element("p", "Nobody: the list of keys to believe, the trust file, could not be read."),
        )
    rows = [*_trusted(verdict.trust)]
    if verdict.result is not None and verdict.failure is None:
        rows += _fingerprints("Program, this job only", verdict.result.release.worker_key)
    parts: list[Content] = [
        element(
            "p",
            "These keys were believed because the trust file that was used names them. Compare the "
            "fingerprints with those that the service publishes, by a way that the sender of this file "
            "does not control.",
        ),
        table("Keys by fingerprint: SHA-256 of the public key", ("Whose", "Scheme", "Fingerprint"), rows),
    ]
    if verdict.anchored is not None:
        place = verdict.anchored.place
        named = f"The anchor counted because the trust file names, on chain {place.chain_id}, the contract "
        contract, account = code(format_address(place.contract)), code(format_address(place.anchorer))
        parts.append(element("p", named, contract, " and the account ", account, "."))
    if verdict.released is not None:
        parts.append(
            element("p", f"Version {verdict.released.version} is released by {verdict.released.by}.")
        )
    return section("Who says so", *parts)


def _trusted(trust: Trust) -> Iterator[tuple[Content, ...]]:
    yield from _fingerprints("The service (node)", trust.node)
    for key in trust.log_keys:
        scheme = "mldsa44" if key.algorithm == MLDSA44_COSIGNATURE else "ed25519"
        yield (
            f"The log {trust.log_origin}",
            words.ALGORITHMS[scheme],
            code(hashlib.sha256(key.public_key).hexdigest()),
        )


def _fingerprints(whose: str, key: HybridPublicKey) -> Iterator[tuple[Content, ...]]:
    for key_id in key.key_ids:
        algorithm, _, fingerprint = key_id.partition(":")
        yield (whose, words.ALGORITHMS[algorithm], code(fingerprint))


def _signed_at(checkpoint: Checkpoint) -> str:
    if checkpoint.signed_at is None:
        return "not said"
    try:
        return clock(datetime.fromtimestamp(checkpoint.signed_at, UTC))
    except (OverflowError, ValueError, OSError):
        return "beyond the calendar"


def _plain(instant: str) -> str:
    return clock(parse_instant(instant))


def clock(moment: datetime) -> str:
    """Writes a moment for people."""
    return moment.astimezone(UTC).strftime(_TIME)
