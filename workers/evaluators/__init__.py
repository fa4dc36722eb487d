"""The implementations of the port `Evaluator`.

inline       trains in this process
on_ray       trains on a Ray cluster
retrying     tries a training again whose worker was lost
reconnecting goes on with another cluster when one is lost
"""
