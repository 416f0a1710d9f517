"""The names of weights in others' files, a file each."""
