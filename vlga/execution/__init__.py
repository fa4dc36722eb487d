"""The loop of a search: ask, evaluate, record, tell.

driver       the loop
task         a candidate as a training to do
memo         outcomes that are known already
inheritance  trained weights, handed on and kept as files
replay       whether a resumed search makes what is recorded
budget       when a search has had its time
failures     when too many trainings fail
pace         how long is left
progress     the counts that are shown
winner       which network wins, and which come after it
final        the longer training of the winner
ending       the end of a search: the winner's longer training, and its committee's
artifacts    the folder of a search's files
hold         holding a search, so that no other process runs it
"""
