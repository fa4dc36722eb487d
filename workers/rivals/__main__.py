"""The process in the background: reads a sample from its input and prints rivals as JSON."""

import json
import os
import sys
from dataclasses import asdict

import numpy as np

from vlga.config.fitness import FITNESS_NAMES
from workers.rivals.compute import Sample, rivals_on

if __name__ == "__main__":
    os.nice(19)
    with np.load(sys.stdin.buffer) as arrays:
        (measure,) = (name for name in FITNESS_NAMES if name == str(arrays["measure"]))
        sample = Sample(**{name: arrays[name] for name in Sample.__slots__})
    sys.stdout.write(json.dumps(asdict(rivals_on(sample, measure))))
