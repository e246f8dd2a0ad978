"""Any network in a notebook: traced, tabled, probed and drawn."""
