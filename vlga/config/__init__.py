"""Settings: what they are, where they come from, what may change on resume.

base        what all tables of settings have in common
strategies  the strategies' names, and what must be known of each
data        which images, and how they are split
training    how networks are trained, and the winner longer
settings    every setting of a search
study       every setting of a study
preset      the presets' names
load        from a preset, a file and the command line to settings
change      what may change when a search is resumed
example     a configuration file with every setting explained
"""
