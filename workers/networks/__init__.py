"""Plans as torch modules, and their weights.

build        the network of a genome
named        the known networks: ResNet, VGG and others
committee    trained networks that answer together
weights      state dictionaries as bytes, and inheriting them
"""
