"""Which pixels decided? Captum's methods as one table, and one way to run them."""
