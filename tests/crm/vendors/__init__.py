"""What is peculiar to one CRM; everything else stands in test_contract.py."""
