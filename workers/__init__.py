"""Workers: a candidate in, an evaluation out: data, networks, training, Ray."""
