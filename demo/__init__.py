"""The demonstration: two Blenders edit one scene at once and end up holding the same."""
