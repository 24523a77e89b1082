"""The engine: documents of flows, and what runs them.

A document (`flows.document`) is checked (`flows.validation`), compiled (`flows.plan`) and interpreted by the machine
(`flows.machine`), which knows neither Temporal nor telephony. Two drivers carry its commands out: the Temporal
workflow (`flows.workflow`, wired up by `flows.temporal`) and the virtual clock (`flows.virtual`). Both execute nodes
by `flows.runner.run_task`.
"""
