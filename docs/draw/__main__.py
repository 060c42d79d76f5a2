"""python -m docs.draw: all pictures into docs/img, all tables into their pages."""

from docs.draw.everything import IMG, PICTURES, fill_tables

for name, draw in PICTURES.items():
    (IMG / name).write_text(draw(), encoding="utf-8")
    print(IMG / name)
for page in fill_tables():
    print(page)
