"""What others need to trust the identity tokens of jobs: who issues them, and with which keys."""
