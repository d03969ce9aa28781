"""What starts runs: delivery sensors, the reconciler, schedules, and the same loop in one process."""
