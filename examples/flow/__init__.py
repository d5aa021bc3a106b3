"""How vectors flow through an LSTM, from shapes to a classifier: ``python -m examples.flow``."""
