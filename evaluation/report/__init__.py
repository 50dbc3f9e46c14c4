"""The findings of an evaluation as one page: no script, nothing loaded, every value escaped.

markup.py  HTML in small pieces; the one place where text becomes markup
curves.py  curves with their bands, as SVG
strips.py  small pictures in a row, inside the page
style.py   how it looks
page.py    the whole page, and how it reaches the disk

It knows nothing of faces or voices: whoever found something out says it in sections.
"""
