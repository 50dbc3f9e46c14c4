"""The `bauta` command line put together.

Exit codes: 0 done, 1 the answer is no or the job failed, 2 wrong usage.
"""

from __future__ import annotations

import sys

import typer

from console import output
from console.commands import (
    age,
    anchors,
    audit,
    compare,
    consent,
    custodian,
    disclose,
    doctor,
    erase,
    evaluate,
    evidence,
    log,
    models,
    policy,
    proof,
    recording,
    release,
    reveal,
    review,
    serve,
    source,
    statement,
    submit,
    template,
    token,
    verify,
    witness,
)
from enclave.errors import EnclaveError
from grpc_api.errors import ServiceError
from keyvault.errors import KeyvaultError
from provenance.errors import ProvenanceError

app = typer.Typer(
    name="bauta",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Anonymize video, images and sound behind a wall, and prove what was done.",
)
app.command("submit")(submit.submit)
app.command("serve")(serve.serve)
app.command("review")(review.review)
app.command("verify")(verify.verify)
app.command("reveal")(reveal.reveal)
app.command("compare")(compare.compare)
app.command("evaluate")(evaluate.evaluate)
app.command("statement")(statement.statement)
app.command("erase")(erase.erase)
app.command("audit")(audit.audit)
app.command("keygen")(age.keygen)
app.command("seal")(age.seal)
app.command("open")(age.open_)
app.command("doctor")(doctor.doctor)
app.add_typer(policy.app, name="policy")
app.add_typer(evidence.app, name="evidence")
app.add_typer(release.app, name="release")
app.add_typer(log.app, name="log")
app.add_typer(anchors.app, name="anchors")
app.add_typer(witness.app, name="witness")
app.add_typer(custodian.app, name="custodian")
app.add_typer(disclose.app, name="disclose")
app.add_typer(consent.app, name="consent")
app.add_typer(proof.app, name="proof")
app.add_typer(recording.app, name="recording")
app.add_typer(models.app, name="models")
app.add_typer(template.app, name="template")
app.add_typer(source.app, name="source")
app.add_typer(token.app, name="token")

EXIT_NO = 1
EXIT_USAGE = 2
# What typer makes of Ctrl-C.
_TYPER_INTERRUPTED = 130


def run() -> None:
    """Runs the command line and exits."""
    if "--json" in sys.argv[1:]:
        output.MODE.as_json = True  # Before parsing, so that usage errors are JSON too.
    raise SystemExit(_run())


def _run() -> int:
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        if error.format_message():  # Without any command the help was already shown.
            output.error("usage", error.format_message())
        return EXIT_USAGE
    except (typer.Abort, KeyboardInterrupt):
        code = _TYPER_INTERRUPTED
    except (ServiceError, EnclaveError, KeyvaultError, ProvenanceError) as error:
        output.error(error.code, str(error))
        return EXIT_NO
    except OSError as error:
        output.error("system_error", f"The system refused: {error.strerror}.")
        return EXIT_NO
    if code == _TYPER_INTERRUPTED:
        output.error("interrupted", "Stopped; nothing was written.")
        return EXIT_NO
    return code if isinstance(code, int) else 0
