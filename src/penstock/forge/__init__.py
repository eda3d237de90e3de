"""Git and, later, its hosts: where source comes from."""
