"""Six ways to teach an LSTM the next letter of the alphabet: ``python -m examples.alphabet``."""
