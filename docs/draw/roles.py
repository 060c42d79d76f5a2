"""The roles of a node and what leads from one to the next. Stands on svg.

The numbers are those of the table in docs/how.md; a test compares both with simulated runs.
"""

from docs.draw.svg import Picture

START = "no record"
# number, from, to, a few words
ARROWS = (
    (1, START, "primary", "cold start"),
    (2, START, "standby", "there is a primary"),
    (3, "standby", "primary", "takes over"),
    (4, "primary", "standby", "replaced, or stood down"),
    (5, "standby", "dead", "silent"),
    (6, "primary", "dead", "was silent"),
    (7, "dead", "standby", "taken back"),
    (8, "dead", "primary", "nobody left"),
    (9, "any", "isolated", "no quorum"),
    (10, "isolated", "any", "quorum again"),
)
WORDS = {number: words for number, _, _, words in ARROWS}
ROLES = {  # role: x, y, style of its box
    "standby": (16, 104, "box"),
    "primary": (308, 104, "a"),
    "dead": (162, 268, "off"),
    "isolated": (162, 380, "free"),
}
BOX_WIDTH, BOX_HEIGHT = 116, 44


def draw_roles():
    picture = Picture("The roles of a node: standby, primary, dead, isolated", 440)
    for role, (x, y, style) in ROLES.items():
        picture.box(x, y, BOX_WIDTH, BOX_HEIGHT, style)
        picture.text(x + BOX_WIDTH / 2, y + 27, role, "strong", "middle")
    picture.circle(220, 36, 9, "head")
    picture.text(220, 20, "a board without a record", "small", "middle")
    _arrow(picture, 1, [(230, 38), (340, 102)], (300, 66), "start")
    _arrow(picture, 2, [(210, 38), (100, 102)], (140, 66), "end")
    _arrow(picture, 3, [(132, 116), (306, 116)], (220, 108), "middle")
    _arrow(picture, 4, [(308, 136), (134, 136)], (220, 155), "middle")
    _arrow(picture, 5, [(40, 148), (40, 298), (160, 298)], (48, 290), "start")
    _arrow(picture, 6, [(400, 148), (400, 298), (280, 298)], (392, 290), "end")
    _arrow(picture, 7, [(190, 268), (104, 150)], (181, 236), "start")
    _arrow(picture, 8, [(250, 268), (336, 150)], (288, 206), "end")
    picture.path([(16, 340), (424, 340)], "rule")
    picture.text(16, 334, "any role", "small")
    _arrow(picture, 9, [(200, 340), (200, 378)], (192, 366), "end")
    _arrow(picture, 10, [(240, 380), (240, 342)], (248, 366), "start")
    return picture.svg()


def _arrow(picture, number, points, at, anchor):
    picture.arrow(points)
    picture.text(*at, f"{number} {WORDS[number]}", "small", anchor)
