"""The camera itself: the fixed noise of its sensor, which ties every video from it to every other.

denoising.py    takes the fine noise away, the fixed part of it with the rest
bending.py      bends the picture by a pixel or two, otherwise in each shot and slowly changing, so that what
                is left of the pattern lies on no grid
grain.py        new noise in its place, from no sensor
suppressing.py  all three, for the pictures of one video or for a still

What remains is measured by `python -m benchmarks.sensor_noise` and told in docs/quality.md.
"""
