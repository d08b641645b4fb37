"""``python -m soundalike``."""

from soundalike.cli import main

if __name__ == "__main__":
    main()
