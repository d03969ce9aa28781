"""Two invented clients, their deliveries with known mistakes, and the truth about them.

Nothing here calls the pipeline: what it must make of the deliveries is known independently of it.
"""

from symbiosys_pipeline.demo.delivery_files import CLEAR_EMAIL
from symbiosys_pipeline.demo.truth import ClientTruth, DayTruth, Truth
from symbiosys_pipeline.demo.waves import FIRST_DAY, Wave, demo_truth, demo_waves

__all__ = ["CLEAR_EMAIL", "FIRST_DAY", "ClientTruth", "DayTruth", "Truth", "Wave", "demo_truth", "demo_waves"]
