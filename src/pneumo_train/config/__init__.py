"""The configuration of a training: typed, frozen, from YAML files and overrides."""
