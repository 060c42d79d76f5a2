"""All of avocado on one machine: `make avocado`. Imports run from `__main__` down to `router`."""
