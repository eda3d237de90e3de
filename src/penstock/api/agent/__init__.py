"""The addresses that agents on other machines ask."""
