"""Finding what names a person.

contract.py      what every detector promises
finders.py       what is sought in a job: one finder for each network, with the kinds that it finds
graph.py         makes the pinned ONNX file fit to run: dynamic sizes, constants where constants belong
centerface.py    CenterFace's output maps turned into boxes, the same for both engines
onnx_engine.py   CenterFace on ONNX Runtime (CPU), for pictures of any size
compiled_engine.py  CenterFace compiled by OpenVINO before the wall, for the sizes of canvas.py
choosing.py      which of the two is faster on this processor, measured once
torch_engine.py  CenterFace written in torch (CUDA), weights from the ONNX file (onnx_weights.py)
torch_batch.py   the same over batches of frames that stay on the device; torch is imported only in these two
engines.py       which engine runs on which device
abreast.py       looks at one frame side by side
looking.py       one frame looked at: at several scales, several passes, in tiles, mirrored
compiled_text.py the text detector compiled likewise
text.py          text and number plates in one frame, by one network (text_maps.py, plates.py)
keeping.py       parts of the picture in which text may stay
blazeface.py     a second opinion on faces, compiled before the wall; blazeface_decoding.py reads its answers
full_range.py    a third network for faces, which attacks results (anonymizer/leaks)
anchors.py       where the anchors of a single-shot detector lie
tflite.py        networks in TensorFlow Lite's format, compiled by OpenVINO before the wall
added_detector.py  a detector that was added by manifest; decoding.py reads its answers
uniting.py       what two detectors of one kind saw, brought together
sessions.py      any network on ONNX Runtime: finite answers or none
"""

import os

# The wheels of ONNX Runtime report to their maker over the network, unless told not to before their import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
