"""What ops see: metrics, traces and logs."""
