"""Media in, media out: finds what names a person, covers it, drops everything that is not picture or sound.

Knows no cryptography, no network and none of our other packages.

anonymize.py   the one entry
settings.py    what is asked for, and what is allowed
modes.py       what the named modes mean
models.py      the model files, pinned or added, loaded in the warm parent
manifest.py    what must be known of an ONNX detector to run it
added.py       the detectors that whoever runs the worker has added
adding.py      the program that adds them
report.py      counts and times
errors.py      the published list of error codes
intake/        what a file is, and whether all of it is there
detect/        finding faces, text and number plates
people/        finding whole people
track/         following them through missed detections
effects/       covering them
enrolled/      people who agreed to be seen, recognized
native/        the original as a decoder gave it, told to whoever commits to it
review/        what a person looks over, and what they decide
camera/        the noise of the sensor
quality/       whether the result is what it should be
leaks/         the finished result attacked
video/         decode, cover, encode
sound/         hear, and make anew: the way of a sound track
speakers/      who speaks when
voice/         one voice turned into another that says the same
words/         spoken words on a list
still.py       JPEG, PNG and WebP
boxes.py       arithmetic on boxes
"""

from anonymizer.anonymize import anonymize
from anonymizer.enrolled.person import Enrolled
from anonymizer.errors import AnonymizerError
from anonymizer.leaks.figures import Leaks
from anonymizer.models import Models, load_models
from anonymizer.quality.figures import Quality
from anonymizer.report import Progress, Report
from anonymizer.review.review import Review
from anonymizer.settings import (
    FaceSettings,
    KeptRegion,
    LeakSettings,
    Limits,
    PeopleSettings,
    Role,
    Settings,
    TextSettings,
)

__all__ = [
    "AnonymizerError",
    "Enrolled",
    "FaceSettings",
    "KeptRegion",
    "LeakSettings",
    "Leaks",
    "Limits",
    "Models",
    "PeopleSettings",
    "Progress",
    "Quality",
    "Report",
    "Review",
    "Role",
    "Settings",
    "TextSettings",
    "anonymize",
    "load_models",
]
