"""People who agreed to be seen, recognized by their faces, so that a role needs no review.

manifest.py     what must be known of a network that tells faces apart; whoever runs the worker adds one
person.py       somebody who is enrolled: a role, and pictures or a vector
embedding.py    a face in a scene as a vector: brought upright, cropped, and run
gallery.py      everybody who is enrolled in a job
portraits.py    pictures of an enrolment as a vector, or a refusal that says why
matching.py     when a face that is followed counts as somebody's: the whole rule, and nothing else
recognizing.py  frame by frame: whom to look at, and which tracks have which role now
remembering.py  the same of an earlier run, told again without looking

Everybody stays covered who is not recognized, and a false match shows somebody who wanted to be hidden. So
the rule is one-sided: several good sightings earn a role; one doubt, a face that comes near, or a cut ends
it; and no frame shows a face that was not recognized in that very frame.
"""
