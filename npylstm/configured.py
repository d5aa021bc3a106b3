"""Configurations: what an object was made with, as a dict that makes another one like it."""

import inspect


class Configured:
    """Something whose constructor's arguments are its attributes, under the same names."""

    def get_config(self):
        """Return the constructor's arguments as a dict."""
        parameters = inspect.signature(type(self).__init__).parameters
        named = [name for name, p in parameters.items() if p.kind not in (p.VAR_KEYWORD,)][1:]
        return {name: getattr(self, name) for name in named}

    @classmethod
    def from_config(cls, config):
        """Return a new object from such a dict."""
        return cls(**config)
