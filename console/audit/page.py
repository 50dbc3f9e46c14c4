"""An audit as one page that a lawyer, an editor or a judge can read, keep and print."""

from __future__ import annotations

from collections.abc import Iterator

from console.audit.outcome import Outcome, deed, handed_on
from console.disclosing import UNWITNESSED
from console.report.markup import Content, Markup, bullets, code, element, section, table, text
from console.report.style import CONTENT_POLICY, STYLE
from keyvault.custody.stories import Story

_TIME = "%d %B %Y, %H:%M:%S UTC"


def render(outcome: Outcome) -> str:
    """Makes the page: no script, nothing loaded, every value escaped."""
    body = "".join(part.source for part in _parts(outcome))
    title = "Nothing is missing" if outcome.is_clean else "Something is missing"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}: audit of disclosures</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _parts(outcome: Outcome) -> Iterator[Markup]:
    yield element("h1", "Audit of disclosures")
    at = f"Checked on {outcome.audited_at.strftime(_TIME)}, by the clock of the computer that checked."
    yield element("p", at, name="quiet")
    yield _banner(outcome)
    yield _record(outcome)
    if outcome.findings:
        rows: list[tuple[Content, ...]] = [
            ("the record" if one.log_index is None else f"entry {one.log_index}", one.message, code(one.code))
            for one in outcome.findings
        ]
        yield section("What was found", table("In the order of the log", ("Where", "What", "Code"), rows))
    if not outcome.told.stories:
        yield section("Who saw what", element("p", "Nobody has asked to see anything again."))
    for number, (name, story) in enumerate(outcome.told.stories.items(), 1):
        yield _story(number, name, story)
    if outcome.told.others:
        rows = [
            (
                f"entry {event.log_index}",
                handed_on(event) if event.kind == "resharing" else event.kind,
                event.at,
                event.by,
            )
            for event in outcome.told.others
        ]
        yield section(
            "Erasures, consents and re-sharings",
            table("In the order of the log", ("Where", "What", "When", "Signed by"), rows),
        )
    yield _limits(outcome)


def _banner(outcome: Outcome) -> Markup:
    if outcome.is_clean:
        return element(
            "div",
            element("strong", "Nothing is missing."),
            "Every entry of the log was shown, to an end that the log has signed, with every statement of "
            "custody in it; and each of them holds.",
            name="verdict holds",
        )
    return element(
        "div",
        element("strong", f"Not clean: {len(outcome.findings)} findings."),
        "Something is missing from the record, or is not as it should be. What was found stands below.",
        name="verdict fails",
    )


def _record(outcome: Outcome) -> Markup:
    head = outcome.whole.checkpoint
    witnessed = outcome.whole.witnessed_at
    rows: list[tuple[Content, ...]] = [
        ("Log", code(head.origin)),
        ("Entries", f"{head.size:,}, of which {len(outcome.whole.placed):,} are about custody"),
        ("Root of the tree", code(head.root.hex())),
        (
            "Seen by witnesses",
            "the trust file asks for none" if witnessed is None else witnessed.strftime(_TIME),
        ),
    ]
    return section("The record", table("To its signed end", ("What", "Value"), rows))


def _story(number: int, name: str, story: Story) -> Markup:
    says = story.asked.says
    stretches = ", ".join(f"{first / 1000:g} to {end / 1000:g} s" for first, end in says["stretches"])
    what: list[tuple[Content, ...]] = [
        ("Request", code(name)),
        ("What became of it", story.state),
        ("Asked by", f"{story.asked.by}, at {story.asked.at}"),
        ("What for", f"{says['purpose']}, on the legal basis of {says['legalBasis']}"),
        ("Custody policy", story.policy or "not shown"),
        ("Job", code(str(says["jobId"]))),
        ("What of it", f"track {', '.join(map(str, says['tracks']))}; {stretches}"),
        ("Sealed to", code(str(says["recipient"]))),
    ]
    if story.state == "released":
        what.append(("On the approval of", ", ".join(story.approved_by)))
    events: list[tuple[Content, ...]] = [
        (f"entry {event.log_index}", deed(event), code(event.sha256))
        for event in (story.asked, *story.events)
        if event is not story.asked
    ]
    followed = table("What followed, in the order of the log", ("Where", "What", "Statement"), events)
    return section(f"Request {number}", table("Who asked for what", ("What", "Value"), what), followed)


def _limits(outcome: Outcome) -> Markup:
    items: list[Content] = [
        "Times are the signers' own words, but for the witnesses'. The order is the log's.",
        "People stand in the log as digests of their keys; their names here are those of the custody policy, "
        "which the request names by its digest.",
        "What was seen is known to who received it. The log says what was given, and to which key.",
    ]
    if outcome.whole.witnessed_at is None:
        items.append(UNWITNESSED)
    return section("What this does not say", bullets(items))
