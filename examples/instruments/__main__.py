"""`python -m examples.instruments` fills the landing folder; the work is done in compose.py."""

from examples.instruments.compose import main

if __name__ == "__main__":
    main()
