"""Long runs on all processors, resumable, whose results stand in the docs. `make soak`."""
