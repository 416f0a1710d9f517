"""The lists of videos that people have, one kind a file; `vidattn.data.read_manifest` tells which one it is.

Each `read` gives a `Listing`: every row of the list, whether its file exists or not, the label still as written there.
"""
