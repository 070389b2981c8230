"""Real clients, as processes, against a running server. See README.md beside this file."""
