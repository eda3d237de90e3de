"""The HTTP surface: dialects translate requests into use cases of the engine, and decide nothing."""
