from ._types import Timer

timer: Timer
