"""The promises of each plugin interface, as tests to inherit."""
