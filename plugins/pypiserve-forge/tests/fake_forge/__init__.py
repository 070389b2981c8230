"""
Small forges for tests: each answers as the documentation, or the source, of the real one says.

A process of its own serves one of each kind on free ports, speaks real HTTP, and takes changes of what it knows, and
faults, on one more port. ``python -m fake_forge`` prints the ports as JSON and ends when its standard input does.

Each module names what its answers are taken from. Nothing here was held against a running forge.
"""
