"""A review: the package that a job makes for the person who looks it over, and what that person decides.

package.py    the sheet and the record in one file
sheet.py      the sheet's JSON, strictly read
speakers.py   the voices in it
decisions.py  decisions as JSON, strictly read
signed.py     the same, signed by the review key

Both sides of the wall read these: the worker, the front desk's client, the console. Times are whole
milliseconds on the result's clock, its first frame at 0. Places are whole ten-thousandths of the width and
the height of the picture they are in: [left, top, right, bottom], each from 0 to 10000.

The **review key** is Ed25519, made by the client for one review. Its public half stands in the first
upload's instructions (`enclave.policy.ReviewInstructions.key`); the record is sealed under a key
that the vault derives for it.

The **package** is an age file to the recipients of the result; the job's statement holds its digest
(`review_sha256`: SHA-256 of the sealed file). Inside:

    bauta.review/v1\\n
    <the sheet: one line of canonical JSON, at most 24 MiB>\\n
    <the sealed record, to the end, at most 32 MiB>

The **sheet**:

    {"format":"bauta.sheet/v1",
     "job":"<32 hex>", "policy":"<name>", "policy_sha256":"<hex>", "mode":"balanced",
     "media_type":"video/mp4", "width":1280, "height":720, "frames":250, "duration_ms":10000,
     "record_sha256":"<hex SHA-256 of the sealed record>",
     "may":["cover","draw","keep",...],          what the policy allows, sorted
     "effects":{"face":["mosaic",...],            for "effect": which, by kind; "voice" wherever somebody
                "voice":["bleep",...],...},       was heard
     "roles":["student","teacher"],               for "role"
     "decisions":[...],                           those that this result was made by, in their own form
     "tracks":[{"track":6, "kind":"face", "effect":"solid"|...|"keep",
                "first_ms":0, "last_ms":9960, "frames":250, "width":210, "height":260,   the biggest, pixels
                "strip":[{"at_ms":0, "box":[...of the thumbnail...], "jpeg":"<base64>"}, ...up to 8]}, ...],
     "unlisted":{"text":12},                      tracks beyond the most that a sheet has, by kind
     "views":[{"at_ms":0, "jpeg":"<base64>"}, ...up to 32],    the whole covered picture, small, now and then
     "speakers":[{"speaker":0, "effect":"keep"|"anonymize"|"bleep"|"remove", "spoken_ms":8120,
                  "unsure_ms":640,            of that, how long another voice may be in it
                  "count":3, "turns":[[0,4100], ...the longest 400]}, ...up to 32]}

Of sound alone the width, the height and the frames are 0. Nothing of what is said is on a sheet, and nothing
that can be heard. Every picture in it was taken after all covers were painted.

**Decisions**, as the console's page saves them (there in any JSON layout) and as they are signed (canonical):

    {"format":"bauta.decisions/v1", "record_sha256":"<that of the sheet>", "decisions":[
       {"do":"cover","track":6}, {"do":"keep","track":6}, {"do":"stronger","track":6},
       {"do":"keep","from_ms":0,"to_ms":4000,"track":6},
       {"do":"role","track":6,"role":"teacher"}, {"do":"effect","track":6,"effect":"mosaic"},
       {"do":"whole_frame","from_ms":2000,"to_ms":3000},
       {"do":"draw","from_ms":0,"to_ms":1500,"keys":[{"at_ms":0,"box":[l,t,r,b]}, ...1 to 64]},
       {"do":"role","role":"teacher","speaker":0}, {"do":"effect","effect":"bleep","speaker":1},
       {"do":"mute","effect":"bleep"|"remove","from_ms":2000,"to_ms":3000}]}

A `keep` without a span holds until the thing comes so near another of its kind that one could be taken for
the other; with one, for exactly that long.

At most 256; at most one of cover, keep, stronger, role and effect for a track, and one of role and effect for
a speaker. They are always the whole of
what is decided: a second review starts from the sheet's "decisions". A span holds from_ms and ends before
to_ms; a drawn box moves evenly from key to key.

**Signed**, the bytes that stand in the second upload's instructions (`ReviewInstructions.decisions`):

    {"decisions":{...as above...},"signature":"<base64: Ed25519 over 'bauta.decisions/v1\\n' and the canonical
     JSON of decisions>"}

The record's bytes stand after the preamble's line (`record_bytes`). What it is sealed under, and bound to,
only a worker knows: enclave/worker/record.py.
"""
