"""A model and its data in plain words: what each axis means, which shapes leave each layer and why.

    print(explain(model, x, y, batch_size=5, epochs=100))     # in Korean with lang="ko"

`explain` is `npylstm.explain`.  Every number in the text is computed from the model and the data;
all sentences are in `texts` and `layer_texts`, as pairs (English, Korean).
"""

from .explanation import Explanation, explain

__all__ = ["Explanation", "explain"]
