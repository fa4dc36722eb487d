"""Genomes, the alleles that they may have, and the operators that make new ones.

rules          what an allele may be
genes          what there is to know of each gene
genome         genes together: what a network and its training are described by
alleles        which alleles a gene can take
space          the alleles that a search may use
sampling       draws genomes, grows and shrinks them
mutation       a child of one parent
crossover      a child of two parents
selection      who lives on, and who becomes a parent
front          whom nobody exceeds in several objectives
nsga2          the order in which NSGA-II selects
mutation_sets  the mutations of strategies without phases
changes        what a child has that its parents had not
"""
