"""Settings of the tests on CPython."""

from hypothesis import settings

# No deadline: a busy machine is not a failure. A failing example prints how to replay it.
settings.register_profile("eecluster", deadline=None, print_blob=True)
settings.load_profile("eecluster")
