"""The review sheet as one page: look at what was covered, decide, save the decisions. No server, no network.

page.py      the page, from head to foot
cards.py     one thing that was followed: its strip of covered pictures, and what can be decided about it
stage.py     the parts of the page that are about times and places: whole pictures, drawn boxes
voices.py    who was heard and when, what can be decided about a voice, and stretches to be muted
elements.py  markup with attributes
words.py     what a sheet's words mean to people
style.py     how it looks
deciding.py  a file of decisions out of what was chosen: the script's half that knows no browser
wiring.py    the other half: what was chosen, where and when
script.py    the two as one, and all that a browser may do with the page

Everything works without a mouse. Without the script the page can be looked at, and decides nothing.
"""
