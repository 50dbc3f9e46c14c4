"""`python -m evaluation.voice_training --data FOLDER --out FOLDER`: trains the voice's networks."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path

from evaluation.voice_training.errors import VoiceTrainingError
from evaluation.voice_training.training import Plan, train


def main() -> int:
    """Runs the training. Returns the exit status: 0 done, 1 not, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="evaluation.voice_training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the manifest's recordings")
    parser.add_argument("--out", type=Path, required=True, help="where encoder.onnx and decoder.onnx go")
    parser.add_argument("--kept", type=Path, help="keep what each stage made here, and go on from there")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--encoder-rounds", type=int, default=Plan.encoder_rounds)
    parser.add_argument("--decoder-rounds", type=int, default=Plan.decoder_rounds)
    chosen = parser.parse_args()
    begun = time.monotonic()
    plan = Plan(
        folder=chosen.data,
        kept=chosen.kept,
        seed=chosen.seed,
        encoder_rounds=chosen.encoder_rounds,
        decoder_rounds=chosen.decoder_rounds,
    )
    try:
        trained = train(plan, _tell)
    except VoiceTrainingError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, content in (("encoder.onnx", trained.encoder), ("decoder.onnx", trained.decoder)):
        (chosen.out / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {name}  {len(content):,} bytes")
    print(f"{time.monotonic() - begun:.0f} seconds")
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
