"""Examples to read and to run, such as ``python -m examples.alphabet``; README has the list."""
