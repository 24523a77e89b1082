"""The running product: child processes, the gateway, the worker, and what they lean on."""
