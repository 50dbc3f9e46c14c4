"""`bauta anchors`: a public chain as a memory of this log. The contract, who sends, what was anchored.

`bauta verify --anchor` checks an anchor; nothing here does for somebody else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from console import output
from console.asking import ask, ask_new_passphrase
from console.commands.options import DataOption, JsonOption, load_trust, say
from console.disclosing import ServerOption, TlsOption, TrustOption
from console.paths import data_folder
from console.report.verdict import read_proof
from console.sending import service
from grpc_api.anchors.config import AnchorConfigError, node_address
from grpc_api.anchors.keeping import open_anchors
from grpc_api.client.connection import service_errors
from grpc_api.errors import invalid, precondition
from keyvault.chain_key import ChainKey
from protos.bauta.v1 import proofs_pb2
from provenance.anchors.address import format_address
from provenance.anchors.anchor_proof import require_anchored
from provenance.anchors.checking import Anchored, find_place
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import verify_checkpoint
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust

app = typer.Typer(
    no_args_is_help=True, help="Anchor the log on a public chain: the contract, the sender, the anchors."
)

_NODE_HELP = (
    "A node of the chain, JSON-RPC over http or https; or a file that holds an address with a key in it."
)

RpcOption = Annotated[str | None, typer.Option("--rpc", metavar="URL", help=_NODE_HELP)]
_GWEI = 10**9


@app.command()
def deploy(
    rpc: Annotated[str, typer.Option(metavar="URL", help=_NODE_HELP)],
    chain_id: Annotated[int, typer.Option(help="Which chain it must be.", min=1)],
    key: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The key that pays; made where there is none, and then it needs money first.",
            dir_okay=False,
        ),
    ],
    max_fee_gwei: Annotated[int, typer.Option(help="Most to pay for one gas.", min=1)] = 100,
    wait: Annotated[int, typer.Option(metavar="SECONDS", help="How long to wait for a block.", min=1)] = 600,
    ask_passphrase: Annotated[
        bool, typer.Option("--ask-passphrase", help="Seal a new key file under a passphrase.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Put the contract on a chain, once. It has no owner: any service may use any copy of it.

    The key that pays has no power over the contract. What sends anchors is a key in the vault.
    """
    from grpc_api.anchors.deploying import deploy as put_there
    from grpc_api.anchors.transport import open_node

    address_of_node = _node(rpc)
    if not key.exists():
        made = ChainKey.generate()
        made.write(key, ask_new_passphrase("key that pays") if ask_passphrase else None)
        address = format_address(made.address)
        output.result(
            {"deployed": False, "payer": address},
            f"A new key is in {key}. Send it what a deployment costs (some 0.001 to 0.04 of the chain's\n"
            f"coin), and run this again: {address}",
        )
        return 1
    payer = ChainKey.read(key, lambda: ask("Passphrase of the key that pays: "))
    done = put_there(
        open_node(address_of_node),
        chain_id,
        payer.address,
        payer.sign,
        max_fee_wei=max_fee_gwei * _GWEI,
        wait_seconds=wait,
    )
    contract = format_address(done.contract)
    output.result(
        {"deployed": True, "contract": contract, "chain_id": chain_id, "block": done.block, "gas": done.gas},
        f"The contract stands at {contract}, since block {done.block}, for {done.gas:,} gas.\n"
        "For the service's configuration:\n\n"
        f'[anchors]\nrpc = "..."\nchain_id = {chain_id}\ncontract = "{contract}"\n',
    )
    return 0


@app.command("key")
def key_(data: DataOption = None, rpc: RpcOption = None, json: JsonOption = False) -> int:
    """Show the address that sends this service's anchors, by its trust file. It needs money to send.

    The key is made in the vault when the service first starts with `[anchors]` in its configuration.
    """
    trust = load_trust(data_folder(data) / "trust.json")
    found = [place.to_object() | _asked(rpc, place, trust) for place in _places(trust)]
    lines = []
    for one in found:
        lines.append(f"{one['anchorer']} on chain {one['chain_id']}, contract {one['contract']}")
        if "balance_wei" in one:
            lines.append(f"  has {one['balance_wei']} wei; last anchored size: {one['anchored_size']}")
    output.result({"places": found}, "\n".join(lines))
    return 0


@app.command()
def show(data: DataOption = None, json: JsonOption = False) -> int:
    """Show the anchors that this data folder keeps, each checked; which blocks are real is not asked."""
    folder = data_folder(data)
    trust = load_trust(folder / "trust.json")
    found: list[dict[str, Any]] = []
    for place in _places(trust):
        kept = open_anchors(folder / "desk" / "anchors", place, trust.log_origin)
        for size in kept.sizes:
            anchor = kept.read(size).check(place.line(trust.log_origin))
            found.append(Anchored(place, anchor).document())
    lines = [
        f"size {one['size']}  block {one['block']} of chain {one['chain_id']}  {one['mined_at']}  "
        f"{one['block_hash']}"
        for one in found
    ]
    output.result({"anchors": found}, "\n".join(lines) or "Nothing is anchored yet.")
    return 0


@app.command()
def get(
    proof: Annotated[
        Path, typer.Argument(metavar="PROOF", help="A proof file.", exists=True, dir_okay=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where the anchor goes.", show_default="PROOF.anchor"),
    ] = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Fetch the anchor that covers a proof, for `bauta verify --anchor`. Exit code 1 if there is none yet."""
    target = out or proof.with_name(proof.name + ".anchor")
    place = TlogProof.parse(ProofFile.from_bytes(read_proof(proof)).log)
    with service(data_folder(data), server, tls, trust) as (connection, believed):
        checkpoint = verify_checkpoint(place.checkpoint, believed.log_origin, believed.log_keys)
        with service_errors():
            answer = connection.proofs.GetAnchor(
                proofs_pb2.GetAnchorRequest(size=checkpoint.size), timeout=60
            )
    covered = CoveredAnchor.from_bytes(answer.covered)
    anchored = find_place(covered.anchor, believed)
    require_anchored(anchored.anchor, checkpoint, covered.consistency)
    try:
        with target.open("xb") as file:
            file.write(answer.covered)
    except FileExistsError:
        raise invalid("output_exists", "The output file is there already; name another.") from None
    document = anchored.document()
    say(f"the anchor is in {target}; it counts for whoever believes its block")
    output.result(document, f"block {document['block']} of {document['mined_at']}: {document['block_hash']}")
    return 0


def _places(trust: Trust) -> tuple[AnchorPlace, ...]:
    if not trust.anchors:
        raise precondition(
            "anchor_place_unknown",
            "The trust file names no chain: the service's operator has asked for none (`[anchors]`).",
        )
    return trust.anchors


def _asked(rpc: str | None, place: AnchorPlace, trust: Trust) -> dict[str, Any]:
    if rpc is None:
        return {}
    from grpc_api.anchors.asking import line_state
    from grpc_api.anchors.transport import open_node

    balance, latest = line_state(open_node(_node(rpc)), place, trust.log_origin)
    return {"balance_wei": balance, "anchored_size": 0 if latest is None else latest.size}


def _node(given: str) -> str:
    try:
        return node_address(given)
    except AnchorConfigError as error:
        raise typer.BadParameter(f"--rpc: {error}.") from None
