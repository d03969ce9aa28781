"""The way to Great Expectations: call `load_great_expectations` before importing anything of it."""

import importlib
import logging
import warnings


def load_great_expectations() -> None:
    """Import Great Expectations, which takes 7 seconds the first time, without its own noise.

    Version 1.24 imports modules that Python 3.11 and marshmallow call deprecated: nothing to act on here, and
    errors where warnings are errors. Its loggers report every metric; what matters is in the results.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("great_expectations")
        importlib.import_module("great_expectations.expectations")
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
