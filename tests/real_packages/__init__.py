"""Whether the gate refuses what real projects publish: run by hand with ``tox -e real-packages``."""
