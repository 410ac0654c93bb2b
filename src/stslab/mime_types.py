"""MIME types of what a figure carries beside its picture, from which a page draws its own version.

Figures put this data into a cell's output, and pages read it there. Neither imports the other.
"""

MATRIX = "application/vnd.stslab.matrix+json"
MAP = "application/vnd.stslab.map+json"
