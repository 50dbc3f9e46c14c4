"""The closed lists of words that a statement may hold. A new word is one line here.

Closed lists, not patterns: a pattern that admits every code also admits a person's name.
"""

from __future__ import annotations

TIERS = ("process", "cvm", "nitro")
"""Who is kept out, from the same kernel to a confidential machine (DESIGN.md, section 1)."""

WALLS = (
    "branch_isolation",
    "cgroup_namespace",
    "empty_root",
    "ipc_namespace",
    "landlock_fs",
    "landlock_net",
    "landlock_scope",
    "limits",
    "locked_memory",
    "mount_namespace",
    "net_namespace",
    "no_capabilities",
    "no_core_dumps",
    "no_new_privs",
    "pid_namespace",
    "seccomp",
    "undumpable",
    "unprivileged_uid",
    "user_namespace",
    "uts_namespace",
    "write_xor_execute",
)
"""What stands around one job's child."""

MODES = ("original", "quality", "balanced", "fast")
EFFECTS = ("solid", "blur", "mosaic", "persona", "swap", "warp", "generator", "remove", "silhouette")
AUDIO = ("anonymized", "bleeped", "kept", "none", "partly_kept", "removed")
"""What happened to the sound: the weakest thing that happened to any of it. "none": there was none."""

SOUND_DONE = ("anonymized", "bleeped", "kept", "removed")
"""What happened to a stretch of the sound."""

SENSOR_NOISE = ("kept", "suppressed")
"""What happened to the noise that ties a picture to one camera."""

QUALITY = (
    "cover_gaps",
    "duration_off_ms",
    "encodings",
    "frames_black",
    "frames_frozen",
    "frames_missing",
    "frames_read",
    "kbit_per_second",
    "lip_sync_off_ms",
    "loudness_off_tenths",
    "sound_clicks",
    "sound_off_ms",
    "ssim_permille",
    "ssim_worst_permille",
)
"""What is measured on a finished video (docs/quality.md)."""

QUALITY_CHECKS = ("black", "clicks", "duration", "frames", "frozen", "lip_sync", "loudness", "sound", "ssim")
"""What a finished video may fall short of."""

LEAKS = (
    "faces_attacked",
    "faces_open",
    "faces_under",
    "frames_attacked",
    "frames_unchecked",
    "identities_compared",
    "identities_matched",
    "metadata_left",
    "rounds",
    "seconds",
    "texts_open",
    "voice_matched",
    "voice_windows",
)
"""What attackers found in the finished result (docs/leaks.md). One that nobody could count is not there."""

LEAKS_LOOKS = ("exhaustive", "none", "sampled")
"""How much of the result was attacked; "none": by a worker that attacked nothing."""

CREDENTIALS = ("c2pa", "none")
"""Whether the result carries content credentials."""

DECISIONS = ("cover", "draw", "effect", "keep", "mute", "role", "stronger", "whole_frame")
"""What a person who looks a job over can decide (docs/review.md)."""

DEVICES = ("cpu", "cuda")
ENGINES = ("onnxruntime", "openvino-bf16", "torch")
"""What runs the detector of faces, where the picture's size allows it."""

MEDIA_TYPES = ("video/mp4", "audio/mp4", "image/jpeg", "image/png", "image/webp")
MODELS = (
    "bauta-voice-decoder",
    "bauta-voice-encoder",
    "centerface",
    "custom-face",
    "custom-face-embedding",
    "custom-generator",
    "custom-person",
    "custom-plate",
    "custom-source-face",
    "custom-text",
    "mediapipe-body",
    "mediapipe-face",
    "mediapipe-face-full-range",
    "mediapipe-face-mesh",
    "mediapipe-iris",
    "mediapipe-pose",
    "pocketsphinx",
    "ppocr-reader",
    "ppocr-text",
    "resemblyzer",
    "silero-vad",
)
"""Bauta's own, and one place for each kind of detector, face or network that an operator may add."""

RECOGNIZED = ("frames", "tracks")
"""In and on which a face was shown, or covered otherwise, as that of somebody who is enrolled."""

RECOVERY = ("custody_policy", "package", "ring", "sharing", "sheet")
"""What is kept so that a quorum of custodians can have covers taken off (docs/recovery.md)."""

MATCHED = ("templates", "vectors")
"""How many of each were compared under encryption (docs/templates.md)."""

UNTOUCHED = ("frames", "open_permille", "tiles", "tiles_open")
"""What of a lossless copy is shown to be the original's (docs/pieces.md)."""

KINDS = ("person", "plate", "text")
"""What is covered besides faces, where the policy asks for it."""
POLICIES = ("classroom", "evidence", "street", "telehealth", "whistleblower")
"""What ships with a worker; a submitter's own policy has no place in a release."""

DIGESTED = {
    "ciphertext": "what was sealed; sealing is randomized, so that nobody can compute it from the content",
    "commitment": "HMAC-SHA-256 of the original, or a root over its pieces, under the submitter's own salts",
    "decisions": "HMAC-SHA-256 of what a person decided, under a salt that only the submitter has",
    "envelope": "a signed statement; one of its signatures is randomized",
    "lock": "the lock file of a worker version",
    "measurement": "a worker's code, lock, dependencies, models and policies",
    "model": "a model's file",
    "policy": "the text of a policy",
    "public-key": "a public key, or the recipient string of one",
    "recovery": "what is kept for custodians: sealed, wrapped or blinded, or the text that says who they are",
    "result": "the anonymized media file, which its owner may show to anybody",
    "sharing": "the public part of a divided recovery key; blinded, so that it tells nothing about the key",
    "terms": "what a job is asked to do",
    "trust": "a trust file: public keys and addresses of witnesses",
    "upload-header": "the age header of a sealed upload; random keys",
}
"""What a digest in a statement may be of, and why it may stand there. An original is not in this list."""

PURPOSES = ("court_order", "data_subject_request", "medical_care", "safety_emergency", "source_request")
"""What a disclosure is asked for."""

LEGAL_BASES = ("consent", "court_order", "legal_obligation", "public_interest", "vital_interests")
"""By what right: a court's order, or the words of GDPR, article 6 (1) a, c, e and d."""

DENIAL_REASONS = (
    "conflict_of_interest",
    "identity_not_shown",
    "legal_basis_insufficient",
    "other",
    "request_expired",
    "scope_too_wide",
)
"""Why a custodian says no."""

ERASURE_REASONS = ("consent_withdrawn", "data_subject_request", "operator_decision", "retention_over")
"""Why an identity's key was destroyed."""


FAILURE_CODES = (
    "age_armor_invalid",
    "age_error",
    "age_header_invalid",
    "age_header_mac_invalid",
    "age_no_identity_matches",
    "age_payload_corrupt",
    "age_payload_truncated",
    "age_recipient_invalid",
    "age_recipients_mixed",
    "architecture_unsupported",
    "camera_not_steady",
    "cancelled",
    "client_gone",
    "credentials_refused",
    "credentials_unplaceable",
    "custody_missing",
    "custody_not_asked",
    "custody_policy_invalid",
    "decision_not_allowed",
    "decisions_invalid",
    "detector_failed",
    "device_unavailable",
    "enrolment_ambiguous",
    "enrolment_invalid",
    "enrolment_many_faces",
    "enrolment_no_face",
    "enrolment_not_allowed",
    "evidence_impossible",
    "intake_key_unknown",
    "internal_error",
    "matching_not_allowed",
    "matching_other_network",
    "media_corrupt",
    "media_empty",
    "media_no_video",
    "media_size_changed",
    "media_too_large",
    "media_too_long",
    "media_truncated",
    "media_unknown_format",
    "media_unsupported",
    "mode_not_allowed",
    "model_digest_mismatch",
    "model_manifest_invalid",
    "model_missing",
    "model_unusable",
    "order_invalid",
    "out_of_memory",
    "package_too_large",
    "policy_invalid",
    "preamble_invalid",
    "quorum_not_met",
    "recipient_invalid",
    "record_refused",
    "release_job_mismatch",
    "release_not_recorded",
    "release_refused",
    "release_request_malformed",
    "release_too_slow",
    "result_shows_faces",
    "result_shows_identities",
    "result_shows_text",
    "result_shows_voices",
    "result_tells_metadata",
    "result_too_large",
    "result_unchecked",
    "result_unreadable",
    "review_signature_invalid",
    "review_too_large",
    "ring_refused",
    "scratch_corrupt",
    "settings_invalid",
    "storage_full",
    "template_foreign_context",
    "template_malformed",
    "template_other_network",
    "template_vector_invalid",
    "terms_invalid",
    "terms_mismatch",
    "untouched_too_large",
    "upload_header_invalid",
    "upload_not_post_quantum",
    "vault_busy",
    "vault_unavailable",
    "wall_failed",
    "wall_floor_missing",
    "wall_violation",
    "worker_died",
    "worker_key_invalid",
    "worker_lost",
    "worker_not_ready",
    "worker_reply_invalid",
    "worker_timeout",
)
"""Why a job ended without a result."""
