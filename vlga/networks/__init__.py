"""What a genome or a study's trial describes: a network and its training, with its arithmetic.

plan       the plan of a network and of its training
named      known networks: ResNet, VGG and others
trial      one training of a study
phenotype  genomes and trials decoded into plans
written    a plan's network as lines of plain PyTorch
source     these lines as a Python module, with the preprocessing
"""
