"""MongoDB as a run store: the plugin for ``mongodb://`` and ``mongodb+srv://`` URLs."""
