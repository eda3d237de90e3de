"""What operators and their tools ask of a server: is it alive, is it ready, how is it doing."""
