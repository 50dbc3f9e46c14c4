"""Every word that a job statement may hold, in plain English, and what each step and failure means.

The tests compare these tables with the closed lists in `provenance.statements.vocabulary` and with the steps
of the verifier: a new word there without a sentence here fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TIERS: Final[Mapping[str, str]] = {
    "process": (
        "Software walls on an ordinary computer. They keep a hostile video from breaking out. They do not "
        "keep out whoever administers that computer, and what the service says about itself is its own word."
    ),
    "cvm": (
        "A confidential virtual machine: the processor is meant to keep the administrator of the host out. "
        "This check does not look at the processor's own evidence."
    ),
    "nitro": (
        "A confidential machine at a cloud provider, meant to be closed to the machine that started it. "
        "This check does not look at the provider's own evidence."
    ),
}

WALLS: Final[Mapping[str, str]] = {
    "branch_isolation": "the processor's guesses were cleared between it and other programs",
    "cgroup_namespace": "it could not see how the computer groups its programs",
    "empty_root": "its view of the disk was one empty folder that cannot be written",
    "ipc_namespace": "it shared no memory or message queue with other programs",
    "landlock_fs": "it could open no file by name",
    "landlock_net": "it could open no network connection (a second barrier)",
    "landlock_scope": "it could send no signal to other programs",
    "limits": "memory, time and file size were limited",
    "locked_memory": "its memory could not be written to disk by the system",
    "mount_namespace": "it had a view of the disk of its own",
    "net_namespace": "it had no network",
    "no_capabilities": "it had none of the administrator's powers",
    "no_core_dumps": "a crash would have left no copy of its memory",
    "no_new_privs": "no program that it started could have had more rights than it",
    "pid_namespace": "it could see no other program",
    "seccomp": "it could ask the system for a short list of things only; anything else would have ended it",
    "undumpable": "other programs of the same user could not read its memory",
    "unprivileged_uid": "it did not run as the administrator",
    "user_namespace": "it knew no user of the computer",
    "uts_namespace": "it could not learn the computer's name",
    "write_xor_execute": "nothing that it wrote to memory could be run as a program",
}

EFFECTS: Final[Mapping[str, str]] = {
    "solid": "covered with a solid patch",
    "blur": "blurred",
    "mosaic": "covered with a coarse mosaic",
    "persona": "covered with a drawn face that is nobody's",
    "swap": "covered with another face",
    "warp": "changed in shape, which hides little",
    "generator": "covered with a generated face",
    "remove": "replaced by the background",
    "silhouette": "covered with a plain outline",
}

DECISIONS: Final[Mapping[str, str]] = {
    "cover": "covered by the rule",
    "draw": "drawn by hand and covered",
    "effect": "covered, or heard, in another way",
    "keep": "kept visible",
    "role": "given a role",
    "stronger": "covered more",
    "whole_frame": "covered as a whole picture for a while",
    "mute": "a stretch in which nothing can be understood",
}
"""What a person decided, after how often."""

KINDS: Final[Mapping[str, str]] = {
    "person": "whole people, as far as a detector saw them",
    "plate": "text that has the shape of a number plate",
    "text": "text",
}

RECOGNIZED: Final[Mapping[str, str]] = {
    "frames": "frames in which a face was shown, or covered less, as that of somebody enrolled: {}",
    "tracks": "faces followed for which that was so: {}",
}
"""What the recognition of enrolled people did."""

MATCHED: Final[Mapping[str, str]] = {
    "templates": "encrypted templates of people who are known to their owner: {}",
    "vectors": "faces or voices that were compared with them: {}",
}
"""What was compared under encryption."""

AUDIO: Final[Mapping[str, str]] = {
    "anonymized": (
        "Voices were replaced by made ones that say the same. It is harder to tell who speaks, not "
        "impossible; what is said, and how, can still identify people."
    ),
    "bleeped": "Voices were replaced by a tone.",
    "kept": "The sound was kept. Voices, and what is said, can identify people.",
    "none": "There was no sound.",
    "partly_kept": (
        "Some of the sound was kept as it was. Voices there, and what is said anywhere, can identify people."
    ),
    "removed": "The sound was removed.",
}

SOUND_DONE: Final[Mapping[str, str]] = {
    "anonymized": "{} s spoken by made voices",
    "bleeped": "{} s under a tone",
    "kept": "{} s kept as it was",
    "removed": "{} s silenced",
}
"""What happened to how much of the sound."""

SENSOR_NOISE: Final[Mapping[str, str]] = {
    "kept": "The camera's own noise was kept. It can tie the picture to one device.",
    "suppressed": "The camera's own noise was suppressed, as far as that can be done.",
}

QUALITY: Final[Mapping[str, str]] = {
    "cover_gaps": "covers that were away for a moment: {}",
    "duration_off_ms": "it ends {} ms off",
    "encodings": "encoded {} time(s)",
    "frames_black": "black where the original was not: {}",
    "frames_frozen": "standing still where the original moved: {}",
    "frames_missing": "frames missing: {}",
    "frames_read": "frames decoded again: {}",
    "kbit_per_second": "{} kbit/s of pictures, or of a file of sound alone",
    "lip_sync_off_ms": "speech lies {} ms off where it was",
    "loudness_off_tenths": "the loudness is {} tenths of a unit (LU) off the original's",
    "sound_clicks": "clicks where sound was joined: {}",
    "sound_off_ms": "the sound lies {} ms off",
    "ssim_permille": "likeness to the original outside the covers: {} of 1,000",
    "ssim_worst_permille": "in the frame least like it: {} of 1,000",
}

QUALITY_CHECKS: Final[Mapping[str, str]] = {
    "black": "frames are black that were not in the original",
    "clicks": "the sound clicks where it was joined",
    "duration": "it is too long or too short",
    "frames": "frames are missing",
    "frozen": "the picture stands still where the original moved",
    "lip_sync": "speech comes earlier or later than it did",
    "loudness": "it is louder or quieter than the original",
    "sound": "sound and pictures do not go together",
    "ssim": "it does not look enough like the original outside the covers",
}

LEAKS: Final[Mapping[str, str]] = {
    "faces_attacked": "Covers of faces that were attacked",
    "faces_open": "Pictures with a face that is not covered",
    "faces_under": "Covers of faces under which a face is found again",
    "frames_attacked": "Pictures that were attacked",
    "frames_unchecked": "Pictures that no detector had looked at, of all",
    "identities_compared": "Covers of faces that were compared with the faces under them",
    "identities_matched": "Covers of faces that still tell who it is",
    "metadata_left": "Things in the file that tell where it comes from",
    "rounds": "How often it was covered",
    "seconds": "How long the attack took",
    "texts_open": "Pictures with text, of a kind that is covered, that can still be read",
    "voice_matched": "Stretches that still sound like whoever spoke, in the voice known again most often",
    "voice_windows": "Stretches of that voice that were attacked",
}
"""What attackers looked for in the finished file, as the head of a line."""

LEAKS_LOOKS: Final[Mapping[str, str]] = {
    "exhaustive": (
        "Before the file was sealed, the program read it again, as a stranger would, and let attackers look "
        "for what it should hide: in every picture."
    ),
    "none": (
        "Nothing: the program that made this file did not attack its own result. Whether a face, a text or a "
        "voice is left in it, nobody tried to find out."
    ),
    "sampled": (
        "Before the file was sealed, the program read it again, as a stranger would, and let attackers look "
        "for what it should hide: in the pictures in which a miss is most likely, and in some spread evenly."
    ),
}
"""How much of the finished file was attacked."""

ATTACKERS: Final[Mapping[str, str]] = {
    "centerface": "looks for faces",
    "custom-face-embedding": "tells whether two pictures show the same face",
    "mediapipe-face": "says whether something is a face",
    "mediapipe-face-full-range": "looks for faces",
    "mediapipe-face-mesh": "says whether something is a face",
    "ppocr-reader": "reads text",
    "ppocr-text": "looks for text",
    "resemblyzer": "tells whether two stretches of speech are by the same person",
    "silero-vad": "hears whether anybody speaks",
}
"""What each program does that attacks."""

DEVICES: Final[Mapping[str, str]] = {"cpu": "processor", "cuda": "graphics processor"}

ENGINES: Final[Mapping[str, str]] = {
    "onnxruntime": "ONNX Runtime",
    "openvino-bf16": "OpenVINO, with numbers of 16 bits (bfloat16)",
    "torch": "PyTorch",
}

MODES: Final[Mapping[str, str]] = {
    "original": "as close to the original picture as can be",
    "quality": "quality before speed",
    "balanced": "balanced",
    "fast": "speed before quality",
}

ALGORITHMS: Final[Mapping[str, str]] = {
    "ed25519": "Ed25519",
    "mldsa44": "ML-DSA-44 (post-quantum)",
    "mldsa65": "ML-DSA-65 (post-quantum)",
    "slhdsa128s": "SLH-DSA-SHA2-128s (post-quantum, rests on hashes alone)",
}

MARKS: Final[Mapping[str, str]] = {
    "ok": "✓",
    "failed": "✗",
    "not reached": "·",
    "not asked": "–",
    "not checked": "?",
}
"""How far a step came, on a terminal."""

STEPS: Final[Mapping[str, str]] = {
    "trust_readable": "The list of keys that you chose to believe was read.",
    "proof_well_formed": "The proof is complete, and nothing was added to it or left out.",
    "entry_recorded": "The statement stands in the record (the log) that the proof shows.",
    "checkpoint_signed": "The record was signed by the keys that you believe, with every scheme.",
    "checkpoint_witnessed": (
        "People outside the service saw the same record, as many of them as your list of keys demands."
    ),
    "evidence_signed": "The service vouched for the program that did this one job.",
    "statement_signed": "That program signed the statement, with keys made for this one job.",
    "facts_agree": "The program and the service say the same about the job.",
    "timestamps_sound": "Every timestamp that came along is about this statement, and nobody changed it.",
    "timestamps_believed": (
        "Clocks of others, which you chose to believe, had seen the statement: as many as you demand."
    ),
    "result_matches": "The file is exactly the one that the statement is about, to the last byte.",
    "credentials_trusted": (
        "The file carries content credentials (C2PA) that lead to a root that you believe, and to this job."
    ),
    "commitment_opens": "The original that you hold is the one that was worked on.",
    "worker_released": "The program's version is one that somebody you believe has released.",
    "on_record": "The service had signed and recorded this before, and it fits.",
    "original_committed": "The statement says, by a number that gives nothing away, what the original was.",
    "recording_signed": "A camera or an app whose key you believe signed what it recorded: this original.",
    "part_matches": (
        "The part is the original's: every picture and all sound of it, at the place and time that is said."
    ),
    "untouched_matches": (
        "Outside the covers the picture is the original's, sample for sample, in every picture."
    ),
    "anchor_sound": (
        "A program on a public chain (a contract) was told a state of the service's record, by the account "
        "that you believe is the service's."
    ),
    "anchor_covers": "The record that the proof shows is that state, or the beginning of it.",
    "anchor_block_believed": "The block of the chain in which that stands is one that you named.",
}
"""What holds if a step does. The verifier has its own, shorter sentences; these are for any reader."""

ADVICE: Final[Mapping[str, str]] = {
    "trust_readable": "Ask for the trust file again, from somebody you know, not from whoever sent the file.",
    "proof_well_formed": "The proof may be damaged, or of a newer version. Ask for it again.",
    "entry_recorded": "The statement is not in the record that the proof shows. Do not rely on the proof.",
    "checkpoint_signed": (
        "The record is not signed by the keys that you believe. It may be of another service: compare the "
        "fingerprints below with those that the service publishes."
    ),
    "checkpoint_witnessed": (
        "Too few outsiders say that they saw this record: it may have been made for your eyes alone. Ask the "
        "service for a newer proof of the same file. If it has none, ask the witnesses what they saw."
    ),
    "evidence_signed": (
        "The service that you believe did not vouch for this program. It may be of another service: "
        "compare the fingerprints below with those that the service publishes."
    ),
    "statement_signed": "The statement is by somebody else than the service vouched for. Do not rely on it.",
    "facts_agree": "The program claims something else than the service saw. Do not rely on the statement.",
    "timestamps_sound": (
        "A timestamp in the proof was changed, belongs to something else, or was never a good one. The proof "
        "may be good without it: ask for the proof as it left the service."
    ),
    "timestamps_believed": (
        "Your trust file demands the word of more clocks than the proof carries. Whoever holds the proof can "
        "have it stamped now (`bauta proof complete`); that shows that it existed now, and no earlier."
    ),
    "result_matches": (
        "This is not the file that the proof is about: it was changed, cut, converted or mixed up. Sending "
        "a video through a messenger often converts it. Ask for the file as it left the service."
    ),
    "credentials_trusted": (
        "The file is the proven one, but its content credentials do not hold, are by somebody else, or tell "
        "of another job. Do not rely on what other programs read in them; ask the service what happened."
    ),
    "commitment_opens": "The original or its secret is another one. The proof of the result is untouched.",
    "original_committed": (
        "The statement was made by a program that did not say what the original was. No part of that can be "
        "shown by it."
    ),
    "recording_signed": (
        "The signature is by a device that your trust file does not name, or of another recording. Ask "
        "whoever recorded for the fingerprint of their key, by a way that the sender does not control."
    ),
    "part_matches": (
        "This is not a part of that original: it was changed, converted or cut again, belongs to another "
        "original, or shows more than it should. Ask for the part as it was made, with its package."
    ),
    "untouched_matches": (
        "Something outside the covers is not the original's, or the package is of another file. The places "
        "are named: look there. Ask for the file as it left the service."
    ),
    "anchor_sound": (
        "The anchor is damaged, or by another account or contract than your list of keys names. The proof of "
        "the file is untouched: ask the service for the anchor again."
    ),
    "anchor_covers": (
        "The anchor is of another record than the proof's, or older than it. If the service gave it for this "
        "proof, it has shown you another record than it anchored: ask it, and tell others."
    ),
    "anchor_block_believed": (
        "Nothing is wrong yet: ask a node that you run, or several explorers, for the hash of the block with "
        "that number, and name it. If they name another one, the anchor is not on the chain."
    ),
}
"""What a person can do when a step fails."""
