"""Where steps run: the host, later Docker and Kubernetes, all behind one contract."""
