"""Settings of every test run."""

from hypothesis import settings

# A busy machine is slow, not wrong: no example has a deadline.
settings.register_profile("symbiosys", deadline=None)
settings.load_profile("symbiosys")
