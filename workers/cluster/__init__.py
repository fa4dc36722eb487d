"""Ray: connecting to a cluster or starting one, its machines, GPUs and metrics, its tasks.

connect      reaching a cluster or starting Ray here
address      what an address may be
nodes        what each machine has installed
room         how many trainings fit
gpus         which GPUs the machines have
gpu_shares   the share of a GPU that a training reserves
task         a training as Ray's task
idle         ending workers without a task
time_limits  after which time a training counts as hanging
metrics      figures for Prometheus
"""
