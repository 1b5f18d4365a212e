"""What sets the checkout up and builds the extension. Run as `python -m tools.NAME` by the Makefile."""
