"""Tools that a team has already, told of every network that a search trains.

runs         what is told of a training
background   a thread that tells it, so that no search waits for a tool
tensorboard  files for TensorBoard
mlflow       runs of MLflow
"""
