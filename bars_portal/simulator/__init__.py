"""The NHS side as a separate program: token endpoint, proxy, TKW. Imports nothing of ours, on purpose."""
