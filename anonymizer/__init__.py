"""Media in, media out: finds faces, covers them, drops everything that is not picture or sound.

Knows no cryptography, no network and none of our other packages.

anonymize.py   the one entry
settings.py    what is asked for, what is allowed, what the named modes mean
models.py      the pinned model files, loaded in the warm parent
report.py      counts and times
errors.py      the published list of error codes
intake/        what a file is, and whether all of it is there
detect/        finding faces
track/         following faces through missed detections
effects/       covering faces
video/         decode, cover, encode
still.py       JPEG, PNG and WebP
boxes.py       arithmetic on boxes
"""

from anonymizer.anonymize import anonymize
from anonymizer.errors import AnonymizerError
from anonymizer.models import Models, load_models
from anonymizer.report import Progress, Report
from anonymizer.settings import FaceSettings, Limits, Settings

__all__ = [
    "AnonymizerError",
    "FaceSettings",
    "Limits",
    "Models",
    "Progress",
    "Report",
    "Settings",
    "anonymize",
    "load_models",
]
