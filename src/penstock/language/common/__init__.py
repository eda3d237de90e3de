"""What the compilers share: YAML with places, diagnostics, filters."""
