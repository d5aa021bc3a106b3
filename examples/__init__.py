"""Examples to read and to run: ``python -m examples.alphabet`` and ``python -m examples.flow``."""
