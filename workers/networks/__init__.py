"""Plans as torch modules, and their weights.

build        the network of a genome
named        the known networks: ResNet, VGG and others
weights      state dictionaries as bytes, and inheriting them
"""
