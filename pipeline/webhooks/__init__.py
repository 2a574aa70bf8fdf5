"""What webhooks are to the functions that send them and to the operator who registers them.

Imports the standard library and named errors only.
"""
