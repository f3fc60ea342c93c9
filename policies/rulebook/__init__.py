"""Reading the rules: from files to values, or to everything that is wrong with them."""
