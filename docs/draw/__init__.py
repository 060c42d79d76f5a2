"""Draws the pictures and fills the tables of docs/ that follow from the code or from a run of it.

python -m docs.draw      makes all of them anew
"""
