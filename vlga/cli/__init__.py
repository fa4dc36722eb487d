"""The command line: options, words, the live panel and signals; one command a file."""
