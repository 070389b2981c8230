"""``python -m pypiserve``."""

from pypiserve.cli.main import main

if __name__ == "__main__":
    main(prog_name="pypiserve")
