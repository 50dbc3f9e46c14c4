"""Measures matching under encryption: `python -m benchmarks.templates [--json FILE]`.

1,000 vectors of 512 numbers against one encrypted template, on one core: as it is done here (diagonals in
baby and giant steps, and hidden), and by TenSEAL's own `vec.matmul` in a context of its own. Both are held
against NumPy. Times are of the processor, so that a busy machine counts for little. Then what files take.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tenseal
from rich.console import Console
from rich.table import Table

from keyvault.templates.keys import OwnerKey, PublicContext, make_keys
from keyvault.templates.matching import match
from keyvault.templates.scores import EncryptedScores, open_scores
from keyvault.templates.templates import EncryptedTemplate, enrol
from keyvault.templates.transform import Transform, transform_template
from keyvault.templates.vectors import Kind, Matrix, Space

SIZES = ((1, 256), (1, 512), (1000, 128), (1000, 256), (1000, 512))
LARGEST = (1000, 512)
RUNS = 3


def spent(work: Callable[[], object], runs: int = RUNS) -> float:
    """Seconds of the processor, the median of some runs."""
    times = []
    for _ in range(runs):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def unit(rows: Matrix) -> Matrix:
    """Rows of length one."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def drawn(vectors: int, dimension: int) -> tuple[Matrix, Matrix]:
    """A person's vector and those that are compared."""
    generator = np.random.default_rng(1)
    return unit(generator.normal(size=(1, dimension))), unit(generator.normal(size=(vectors, dimension)))


def ours(owner: OwnerKey, context: PublicContext) -> list[dict[str, float]]:
    """Each size: seconds, and the largest error."""
    found = []
    for vectors, dimension in SIZES:
        person, compared = drawn(vectors, dimension)
        template = enrol(context, Space(Kind.FACE, "ab" * 32, dimension), person[0])
        made: list[EncryptedScores] = []
        seconds = spent(lambda: made.append(match(context, [template], compared)))  # noqa: B023  called at once
        wrong = np.abs(open_scores(owner, context, made[-1]) - person @ compared.T).max()
        found.append({"vectors": vectors, "dimension": dimension, "seconds": seconds, "error": float(wrong)})
    return found


def matmul() -> dict[str, float]:
    """TenSEAL's own product, with one thread and the Galois keys that it makes by itself."""
    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[60, 40, 60], n_threads=1)
    context.global_scale = 2.0**40
    context.generate_galois_keys()
    person, compared = drawn(*LARGEST)
    encrypted = tenseal.ckks_vector(context, person[0].tolist())
    made = []
    seconds = spent(lambda: made.append(encrypted.matmul(compared.T.tolist())), runs=1)
    wrong = np.abs(np.array(made[-1].decrypt()) - (person @ compared.T)[0]).max()
    return {"seconds": seconds, "error": float(wrong)}


def rest(owner: OwnerKey, context: PublicContext) -> tuple[dict[str, float], dict[str, int]]:
    """Seconds of everything else, and bytes of every file."""
    person, compared = drawn(*LARGEST)
    space = Space(Kind.FACE, "ab" * 32, LARGEST[1])
    template = enrol(context, space, person[0])
    transform = Transform.generate()
    transform.matrix(space.dimension)
    changed = transform_template(context, template, transform)
    scores = match(context, [template], compared)
    seconds = {
        "keys": spent(make_keys),
        "context read": spent(lambda: PublicContext.from_bytes(context.encoded).seal),
        "template encrypted": spent(lambda: enrol(context, space, person[0])),
        "template read": spent(lambda: EncryptedTemplate.from_bytes(template.to_bytes())),
        "transform drawn": spent(lambda: Transform.generate().matrix(space.dimension)),
        "template transformed": spent(lambda: transform_template(context, template, transform)),
        "scores opened": spent(lambda: open_scores(owner, context, scores)),
    }
    sizes = {
        "owner's key": len(owner.to_bytes()),
        "public context": len(context.encoded),
        "template": len(template.to_bytes()),
        "transformed template": len(changed.to_bytes()),
        "scores of one template": len(scores.to_bytes()),
    }
    return seconds, sizes


def main() -> None:
    """Prints tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    owner, context = make_keys()
    here, by = ours(owner, context), matmul()
    seconds, sizes = rest(owner, context)
    table = Table("vectors × numbers", "by", "seconds of one core", "largest error")
    for row in here:
        wide = f"{row['vectors']:,} × {row['dimension']}"
        table.add_row(wide, "keyvault.templates", f"{row['seconds']:.2f}", f"{row['error']:.1e}")
    table.add_row("1,000 × 512", "vec.matmul", f"{by['seconds']:.2f}", f"{by['error']:.1e}")
    Console().print(table)
    table = Table("what", "seconds")
    for name, taken in seconds.items():
        table.add_row(name, f"{taken:,.3f}")
    Console().print(table)
    table = Table("what", "bytes")
    for name, size in sizes.items():
        table.add_row(name, f"{size:,}")
    Console().print(table)
    if arguments.json:
        result = {"ours": here, "matmul": by, "seconds": seconds, "bytes": sizes}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
