"""The picture of the landing page: three boards, three EEPROMs, one bus. Stands on svg."""

from docs.draw.svg import Picture

BOARDS = (("board 0", "primary", "a"), ("board 1", "asleep", "box"), ("board 2", "asleep", "box"))
STEP, BOX = 146, 116


def draw_overview():
    picture = Picture("Three boards and three EEPROMs on one I2C bus; board 0 publishes", 322)
    picture.box(16, 12, 408, 36, "c")
    picture.text(220, 35, "who listens: drops tokens below the highest", "", "middle")
    picture.arrow([(74, 104), (74, 50)])
    picture.text(84, 82, "reading, token 15", "small")
    for i, (name, role, style) in enumerate(BOARDS):
        left = 16 + STEP * i
        middle = left + BOX / 2
        picture.box(left, 106, BOX, 52, style)
        picture.text(middle, 127, name, "strong", "middle")
        picture.text(middle, 146, role, "small", "middle")
        picture.path([(middle, 158), (middle, 226)])
        picture.box(left + 6, 226, BOX - 12, 52, "b")
        picture.text(middle, 247, f"EEPROM {i}", "strong", "middle")
        picture.text(middle, 266, f"0x{0x50 + i:x}", "small", "middle")
    picture.path([(16, 188), (424, 188)])
    picture.path([(16, 196), (424, 196)])
    picture.text(82, 181, "I2C: SCL, SDA", "small")
    picture.text(220, 306, "all EEPROMs hold the same", "small", "middle")
    return picture.svg()
