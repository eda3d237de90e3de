"""Where git hosts send their webhooks."""
