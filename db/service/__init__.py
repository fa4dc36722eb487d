"""What the service keeps beside the searches.

queue        searches that are wanted, and what is wished of them
access       tokens, and browsers that signed in with one
"""
