"""Exact samples of the STG with 3, 5, 8 and 12 free conductances; nothing is shared with dsnlib."""
