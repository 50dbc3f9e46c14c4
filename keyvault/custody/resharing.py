"""Moving a secret to other shares, or to another group, without ever putting it together.

Custodians who suffice under the old rule, the dealers, each divide their own share by the new rule. A new
share is the weighted sum of what its holder got from all dealers, with the weights by which the old shares
would have given the secret (Desmedt and Jajodia, 1997; checked as Wong, Wang and Wing, 2002). The same group
again is a proactive refresh: old and new shares do not fit together.

Every dealing is checked twice: what it divides is the dealer's true share, by the old commitments, and each
part is true, by its own. Whoever deals falsely is named. Old shares keep their power for whoever kept enough
of them: a re-sharing protects from the day on which their holders have destroyed them.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyvault.custody import group
from keyvault.custody.errors import CustodianError
from keyvault.custody.rule import Gate
from keyvault.custody.sharing import Dealt, Share, Sharing, combine, deal


def redeal(old: Sharing, dealer: str, share: Share, new_rule: Gate) -> Dealt:
    """One dealer's part: divides a share by the new rule.

    Returns:
        Each new custodian's part, to be sealed to them, and the public part, for everybody.

    Raises:
        CustodianError: share_false, the share is not the dealer's; custodian_unknown.
    """
    old.require_true(dealer, share)
    return deal(new_rule, old.context, share, old.epoch + 1)


def new_sharing(old: Sharing, redeals: Mapping[str, Sharing]) -> Sharing:
    """The public part of the new sharing, which anybody can compute.

    Args:
        old: the sharing that is left.
        redeals: the public part of every dealer's dealing; all of them count.

    Raises:
        CustodianError: redeal_false, naming the dealer: it divides something else than the dealer's share,
            or by another rule than the first; redeal_incomplete: the dealers do not suffice, or too many
            of them deal.
    """
    weights = _weights(old, redeals)
    order = list(weights)
    rule = redeals[order[0]].rule
    for dealer in order:
        require_redealt(old, dealer, redeals[dealer], rule)
    factors = [weights[dealer] for dealer in order]
    commitments = {
        path: tuple(
            group.weighted_sum_of_points(factors, [redeals[dealer].commitments[path][at] for dealer in order])
            for at in range(gate.need)
        )
        for gate, path in rule.gates()
    }
    made = Sharing(old.context, old.epoch + 1, rule, commitments)
    if made.root != old.root:
        raise AssertionError("dealings of true shares keep the secret")
    return made


def new_share(
    old: Sharing, redeals: Mapping[str, Sharing], custodian: str, parts: Mapping[str, Share]
) -> Share:
    """A new custodian's share.

    Args:
        old: the sharing that is left.
        redeals: as for `new_sharing`.
        custodian: who computes this.
        parts: what each dealer gave to this custodian.

    Raises:
        CustodianError: redeal_false, naming a dealer who gave a false part; redeal_incomplete, a dealer gave
            none; custodian_unknown; and whatever `new_sharing` raises.
    """
    made = new_sharing(old, redeals)
    weights = _weights(old, redeals)
    if parts.keys() != weights.keys():
        raise _incomplete()
    for dealer, part in parts.items():
        try:
            redeals[dealer].require_true(custodian, part)
        except CustodianError as defect:
            if defect.code != "share_false":
                raise
            raise _false(dealer) from None
    share = combine(weights, parts)
    made.require_true(custodian, share)
    return share


def _weights(old: Sharing, redeals: Mapping[str, Sharing]) -> dict[str, bytes]:
    # One set of dealers for everybody: with another set in mind a holder would compute another share.
    if not old.rule.is_met_by(redeals):
        raise _incomplete()
    weights = old.rule.weights(redeals)
    if weights.keys() != redeals.keys():
        raise _incomplete()
    return weights


def require_redealt(old: Sharing, dealer: str, redealt: Sharing, rule: Gate) -> None:
    """Checks that a dealing divides the dealer's own share, by this rule.

    Raises:
        CustodianError: redeal_false, naming the dealer; custodian_unknown.
    """
    expected = (old.context, old.epoch + 1, rule, old.commitment_of(dealer))
    if (redealt.context, redealt.epoch, redealt.rule, redealt.root) != expected:
        raise _false(dealer)


def _incomplete() -> CustodianError:
    return CustodianError("redeal_incomplete", "it takes exactly a quorum of dealers, and a part from each")


def _false(dealer: str) -> CustodianError:
    return CustodianError("redeal_false", "a dealer divides something else than their own share", dealer)
