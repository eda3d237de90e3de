"""What git hosts announce: webhooks, checked and put into one form."""
