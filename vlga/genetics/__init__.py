"""Genomes, the alleles that they may have, and the operators that make new ones.

genome         the genes, and a genome of them
alleles        which alleles a gene can take
space          the alleles that a search may use
sampling       draws genomes, grows and shrinks them
mutation       a child of one parent
crossover      a child of two parents
selection      who lives on, and who becomes a parent
mutation_sets  the mutations of strategies without phases
changes        what a child has that its parents had not
"""
