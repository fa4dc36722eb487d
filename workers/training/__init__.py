"""One training: from a task to its outcome.

evaluate     the whole evaluation, failures included
loop         the training loop
augmentation random crops and flips of a batch
loss         the loss of a step, with classes weighted
schedule     the learning rate of a step
cuda_errors  what CUDA's errors mean
resident     data sets on the device
memory       what a training has taken
footprint    what a training will take
latency      how long a network takes for one image
"""
