"""The only file that differs from board to board."""

NODE_ID = 0
