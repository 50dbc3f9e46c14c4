"""One target under atheris: mutations are kept when they reach new code of ours. It ends at a finding.

    python -m tests.fuzz.guided REGISTRY TARGET FOLDER SECONDS SEED

The corpus grows in FOLDER/corpus and stays for the next night; an input that broke the rule is written into
FOLDER/findings. SEED 0 draws other random numbers each time. Exit code 0: nothing was found; anything else is
a finding.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from random import Random

import atheris

# What a guided run counts as new is new code here, not in libraries, and not in the tests.
INSTRUMENTED = ["anonymizer", "console", "enclave", "grpc_api", "keyvault", "protos", "provenance"]
# By the clock of the wall; the processor's time is limited in `target`.
HANG_SECONDS = 120
MAX_MEMORY_MIB = 4096


def main(registry: str, name: str, folder: Path, seconds: int, seed: int) -> None:
    """Runs one target; does not return."""
    with atheris.instrument_imports(include=[*INSTRUMENTED, registry]):
        target = import_module(registry).TARGETS[name]
        from tests.fuzz.mutations import mutate
        from tests.fuzz.target import attempt
    corpus, findings = folder / "corpus", folder / "findings"
    for made in (corpus, findings):
        made.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(content)

    def spoil(data: bytes, max_size: int, drawn: int) -> bytes:
        random = Random(drawn)
        if random.randrange(2):
            native: Callable[[bytes, int], bytes] = atheris.Mutate
            return native(data, max_size)
        return mutate(target, bytes(data), random)[:max_size]

    options = [
        *(f"-max_total_time={seconds}", f"-max_len={target.max_bytes}", f"-timeout={HANG_SECONDS}"),
        *(f"-rss_limit_mb={MAX_MEMORY_MIB}", f"-artifact_prefix={findings}/", "-print_final_stats=1"),
        f"-seed={seed}",
    ]
    atheris.Setup(
        [sys.argv[0], str(corpus), *options],
        lambda data: attempt(target, bytes(data)),
        custom_mutator=spoil,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
