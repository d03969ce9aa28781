"""Whether a day is good enough: rule catalogue, suites, runner, verdicts, Data Docs. No Dagster."""
