"""Ours, a peer and the floor side by side in one run. Of times the ratios count; the machines are noisy.

demo_clip    makes a clip with a real, moving face
face_attack  how many people a recognizer names through each effect (docs/evaluating.md)
face_effects the effects that this is measured on, ours and references
effects_pictures shows every effect and what it costs (docs/effects.md)
effects_clip made for it: somebody crosses a room
effects_network a network of a page, for the effect that needs one
effects_words the page itself
before_after makes the picture in the README
whole_job    the whole job against deface and against a plain decode-and-encode
coverage     what of the faces is left open and what is covered in vain, ours and deface's
reference    the faces of a clip that coverage is judged by; data/ holds those of the made clip
covers       what ours and what deface covers, as masks
scoring      figures from masks and faces
tracking     trackers judged on made movement, where who is who is known
memory       peak memory by size of picture and length
plot         bars as SVG
job_start    from an order to the first word behind a closed wall
key_release  from a worker's request to its file key, the record in the log counted in
gpu          the batched torch path by itself; needs torch, NumPy, PyAV and OpenCV only
voice_attack how well voice effects hold, and how much of the words they keep, ours and others'
voice_baselines those others
mcadams      one of them by itself
transcode    that floor, as a command of its own
"""
