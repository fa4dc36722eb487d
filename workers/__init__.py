"""Workers: a candidate in, an evaluation out: data, networks, amplification, training, Ray."""

import os

# torch's CPU threads wait for each other many times a step. If they spin meanwhile, a training of
# small maps takes up to fifteen times as long beside any other program; if they sleep at once, up
# to twice as long alone (tests/benchmarks/results/threads.txt). So they spin a little. Both must
# be set before torch is loaded; the second is that of GNU's OpenMP, which torch has on Linux.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
