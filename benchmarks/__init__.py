"""Timings, side by side in one run: ours, a peer, and the floor. Ratios count; the machines are noisy.

demo_clip    makes a clip with a real, moving face
before_after makes the picture in the README
whole_job    the whole job against deface and against a plain decode-and-encode
job_start    from an order to the first word behind a closed wall
key_release  from a worker's request to its file key, the record in the log counted in
gpu          the batched torch path by itself; needs torch, NumPy, PyAV and OpenCV only
transcode    that floor, as a command of its own
"""
