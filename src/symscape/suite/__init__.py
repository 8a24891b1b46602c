"""What the pytest plugin does, apart from its options and fixtures."""
