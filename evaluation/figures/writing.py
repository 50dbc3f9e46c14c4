"""Figures as JSON values, shares from 0 to 1 with four digits, and as words, in percent."""

from __future__ import annotations

from typing import Any

from evaluation.figures.attacked import Attacked, Curve, Figure, Retrieved


def document_of(found: Attacked) -> dict[str, Any]:
    """Returns everything that an attacker achieved; curves as [across, up, low, high]."""
    return {
        "people": found.persons,
        "trials": found.trials,
        "small_sample": found.is_small_sample,
        "eer": figure_document(found.eer),
        "eer_threshold": round(found.eer_threshold, 4),
        "tpr_at_1_fpr": figure_document(found.tpr_at_1_fpr),
        "rank_1": figure_document(found.rank_1),
        "rank_5": figure_document(found.rank_5),
        "mean_average_precision": figure_document(found.mean_average_precision),
        "chance": {
            "eer": 0.5,
            "rank_1": round(found.chance_rank_1, 4),
            "rank_5": round(found.chance_rank_5, 4),
        },
        "roc": _curve(found.roc),
        "cmc": _curve(found.cmc),
        "over_pictures": None if found.retrieved is None else _retrieved(found.retrieved),
    }


def _retrieved(found: Retrieved) -> dict[str, Any]:
    return {
        "rank_1": figure_document(found.rank_1),
        "rank_5": figure_document(found.rank_5),
        "chance": {"rank_1": round(found.chance_rank_1, 4), "rank_5": round(found.chance_rank_5, 4)},
        "cmc": _curve(found.cmc),
    }


def figure_document(figure: Figure | None) -> dict[str, Any] | None:
    """Returns a figure with its 95 % interval, or nothing of nothing."""
    if figure is None:
        return None
    interval = [round(figure.within.low, 4), round(figure.within.high, 4)]
    return {"value": round(figure.value, 4), "interval": interval}


def percent(figure: Figure) -> str:
    """Returns a share and its interval: `36.2 % (29.0 to 41.5)`."""
    low, high = figure.within.low, figure.within.high
    return f"{100 * figure.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _curve(curve: Curve) -> list[list[float]]:
    columns = zip(curve.across, curve.up, curve.low, curve.high, strict=True)
    return [[round(float(value), 4) for value in point] for point in columns]
