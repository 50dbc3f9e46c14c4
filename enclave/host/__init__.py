"""The front desk's side of the wall: it starts jobs and reads reports, and trusts neither.

    client.py    WorkerHost: the channel to the warm parent
    running.py   RunningJob: the reports of one job, with a deadline
    disclosing.py  RunningDisclosure: a disclosure worker that waits, and what it says
    materials.py   what it is shown
    disclosure_reports.py  what its reports must look like
    checks.py    what a hello and a report must look like before anybody looks at them

Nothing here can import the worker or the anonymizer.
"""

from enclave.host.client import WorkerHost
from enclave.host.disclosing import Disclosed, DisclosureRefusedError, RunningDisclosure
from enclave.host.materials import Materials
from enclave.host.running import RunningJob

__all__ = [
    "Disclosed",
    "DisclosureRefusedError",
    "Materials",
    "RunningDisclosure",
    "RunningJob",
    "WorkerHost",
]
