"""The implementations of the port `Evaluator`.

inline   trains in this process
on_ray   trains on a Ray cluster
patient  tries again what was lost with its worker or its cluster
"""
