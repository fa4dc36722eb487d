"""Ray: a cluster reached or started, its machines, GPUs and metrics, a training as its task.

connect      reaching a cluster or starting Ray here
address      what an address may be
nodes        what each machine has installed
room         how many trainings fit
gpus         which GPUs the machines have
gpu_shares   the share of a GPU that a training reserves
task         a training as Ray's task
time_limits  when a training is taken to hang
metrics      what Prometheus is told
"""
