"""What a submitter may ask for, in files that a person can read.

document.py   the policy: a frozen tree, strictly parsed from TOML
covers.py     its tables for faces, people, text and plates
decisions.py  its tables for what people decide: roles, and what a reviewer may do
results.py    its tables for all else that a file is: sound, metadata, coding, proof
leaks.py      its table for what attackers may find in the result
fields.py     typed, ranged reading of one TOML table
shipped/      the policies that come with Bauta
terms.py      policy + mode + recipients: what one job is asked to do, canonical bytes
preamble.py   the same terms and the salt, as the first bytes inside the sealed upload
instructions.py  what the submitter tells the worker alone, in the same place: a pseudonym and its scope
enrolment.py  the part of the instructions that is about who is recognized
review.py     the part of the instructions that is about a review
"""

from enclave.policy.covers import CoverPolicy, FacePolicy, KeptRegion, PeoplePolicy
from enclave.policy.decisions import ReviewPolicy, RoleCover, RolePolicy
from enclave.policy.document import Policy, parse_policy
from enclave.policy.enrolment import EnrolledPerson
from enclave.policy.instructions import Instructions
from enclave.policy.leaks import LeaksPolicy
from enclave.policy.preamble import UploadPreamble, parse_preamble, upload_preamble
from enclave.policy.results import AudioPolicy, ProofPolicy
from enclave.policy.review import ReviewInstructions
from enclave.policy.shipped import shipped
from enclave.policy.terms import Terms, parse_terms

__all__ = [
    "AudioPolicy",
    "CoverPolicy",
    "EnrolledPerson",
    "FacePolicy",
    "Instructions",
    "KeptRegion",
    "LeaksPolicy",
    "PeoplePolicy",
    "Policy",
    "ProofPolicy",
    "ReviewInstructions",
    "ReviewPolicy",
    "RoleCover",
    "RolePolicy",
    "Terms",
    "UploadPreamble",
    "parse_policy",
    "parse_preamble",
    "parse_terms",
    "shipped",
    "upload_preamble",
]
