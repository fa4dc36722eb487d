"""Workers: a candidate in, an evaluation out: data, networks, amplification, training, Ray."""

import os

# torch's CPU threads otherwise spin while they wait for each other: with two threads and any other
# program on the machine, a training of small maps was measured to take fifteen times as long. Must
# be set before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
