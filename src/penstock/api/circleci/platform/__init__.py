"""CircleCI's API beside runs: contexts, keys, settings, schedules, webhooks, claims, policies, usage."""
