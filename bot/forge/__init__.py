"""The forge: pull requests, reviews, accounts and reports of one GitHub repository."""
