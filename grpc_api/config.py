"""Every limit of the front desk, in one frozen dataclass, read from one strict TOML file.

`outsiders` and `admission` have the further tables of that file.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from enclave.wall import DEFAULT_FLOOR, FLOOR_NAMES
from grpc_api.admission import AdmissionError, read_admission
from grpc_api.errors import ServiceError, invalid
from grpc_api.outsiders import Outsiders, OutsidersError, read_outsiders
from keyvault.submitter.issuer_keys import IssuerKey

GIB = 1 << 30


@dataclass(frozen=True)
class ServiceConfig:
    """Limits and times; the defaults suit one newsroom on one machine.

    Attributes:
        max_upload_bytes: largest sealed upload.
        max_result_bytes: largest sealed result.
        max_review_bytes: largest sealed review package.
        max_recovery_bytes: largest recovery package.
        max_untouched_bytes: largest sealed untouched package.
        max_frame_pixels: largest frame, width times height (8K by default).
        max_frames: most frames of one video.
        max_worker_memory_bytes: address space of one job's child.
        max_job_seconds: wall time of one job.
        max_running_jobs: jobs behind the wall at once.
        max_attempts: how often a job is started when the service is killed under it.
        max_open_jobs: jobs of one identity that have not ended.
        max_open_disclosures: requests for disclosure that stand at once; a worker waits for each.
        max_disclosure_requests_a_day: of one requester.
        max_requests_per_minute: requests of one identity, streams counted once.
        max_streams: concurrent requests, all identities together.
        upload_seconds: how long a job waits for its upload before it is removed.
        retention_seconds: how long an ended job is kept before it is removed.
        drain_seconds: how long a stop waits for running jobs.
        timestamp_seconds: how long a finished job waits for time-stamping authorities, all together.
        min_free_bytes: disk that an upload must leave free.
        wall_floor: walls without which the service does not start, by name; the lowest floor
            (`enclave/wall/names.py`) is asked for whatever stands here.
        outsiders: whom the operator asks to vouch beside the service.
        admission: whose tokens a job needs one of; nobody's, and then every client may hand one in.
    """

    max_upload_bytes: int = 20 * GIB
    max_result_bytes: int = 20 * GIB
    max_review_bytes: int = 64 << 20
    max_recovery_bytes: int = 20 * GIB
    max_untouched_bytes: int = 20 * GIB
    max_frame_pixels: int = 7680 * 4320
    max_frames: int = 2_000_000
    max_worker_memory_bytes: int = 8 * GIB
    max_job_seconds: int = 6 * 3600
    max_running_jobs: int = 1
    max_attempts: int = 2
    max_open_jobs: int = 100
    max_open_disclosures: int = 8
    max_disclosure_requests_a_day: int = 20
    max_requests_per_minute: int = 600
    max_streams: int = 64
    upload_seconds: int = 24 * 3600
    retention_seconds: int = 7 * 24 * 3600
    drain_seconds: int = 30
    timestamp_seconds: int = 5
    min_free_bytes: int = 256 << 20
    wall_floor: tuple[str, ...] = DEFAULT_FLOOR
    outsiders: Outsiders = field(default_factory=Outsiders)
    admission: tuple[IssuerKey, ...] = ()


_OUTSIDERS = {"witnesses", "timestamps", "anchors"}
_OTHER_TABLES = _OUTSIDERS | {"admission"}


def load_config(path: Path | None) -> ServiceConfig:
    """Reads a TOML file; no path gives the defaults.

    Raises:
        ServiceError: `config_invalid`, naming the key at fault.
    """
    if path is None:
        return ServiceConfig()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    # ValueError: not UTF-8, not TOML, or a number of thousands of digits; RecursionError: deep nesting.
    except (OSError, ValueError, RecursionError):
        raise _config_invalid("the file cannot be read as TOML") from None
    unknown = sorted(document.keys() - {"service"} - _OTHER_TABLES)
    table = document.get("service", {})
    known = {known.name for known in fields(ServiceConfig)} - {"outsiders", "admission"}
    if not isinstance(table, dict):
        raise _config_invalid("`service` must be a table")
    unknown += sorted(table.keys() - known)
    if unknown:
        raise _config_invalid(f"unknown key `{_shown(unknown[0])}`")
    wall_floor = _wall_floor(table.pop("wall_floor", list(DEFAULT_FLOOR)))
    numbers = {name: _whole_number(name, value) for name, value in table.items()}
    try:
        outsiders = read_outsiders({name: document.get(name, {}) for name in _OUTSIDERS}, path.parent)
        admission = read_admission(document.get("admission"), path.parent)
    except (OutsidersError, AdmissionError) as error:
        raise _config_invalid(str(error)) from None
    return ServiceConfig(**numbers, wall_floor=wall_floor, outsiders=outsiders, admission=admission)


def _whole_number(name: str, untrusted: object) -> int:
    if type(untrusted) is not int or untrusted <= 0:
        raise _config_invalid(f"`{name}` must be a whole number above zero")
    return untrusted


def _wall_floor(untrusted: object) -> tuple[str, ...]:
    if not isinstance(untrusted, list) or not all(isinstance(name, str) for name in untrusted):
        raise _config_invalid("`wall_floor` must be a list of names of walls")
    unknown = [name for name in untrusted if name not in FLOOR_NAMES]
    if unknown:
        raise _config_invalid(
            f"`wall_floor` names `{_shown(unknown[0])}`, which is no wall; docs/wall.md lists them"
        )
    return tuple(untrusted)


def _shown(name: str) -> str:
    """A name out of the file, short enough and plain enough for a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in name[:64])


def _config_invalid(what: str) -> ServiceError:
    return invalid("config_invalid", f"The configuration is not valid: {what}.")
