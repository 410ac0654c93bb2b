"""What is asked for: presets, parameters and files, checked before any kernel starts."""
