"""
The domain: names, versions, filenames, digests, the model of an index, core metadata, archives, identity, errors.

Nothing here opens a socket, a database or a file by itself.
"""
