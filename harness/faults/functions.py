"""Faults of the functions: nobody polls the queues, no concurrency is left, or an invocation breaks half-way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from harness.faults.site import Site
from harness.provision import TypeResources


def _wait_for_messages(site: Site) -> str | None:
    waiting = site.waiting_messages()
    return f"{waiting:,} messages waited on the queues" if waiting else None


@dataclass(frozen=True)
class NobodyPolls:
    """The event source mappings are disabled, as in a deployment that went wrong."""

    @property
    def name(self) -> str:
        return "event source mappings disabled"

    def inject(self, site: Site) -> Callable[[], str | None]:
        self._enable(site, enabled=False)

        def heal() -> str | None:
            effect = _wait_for_messages(site)
            self._enable(site, enabled=True)
            return effect

        return heal

    def _enable(self, site: Site, *, enabled: bool) -> None:
        for resources in site.provisioned.types.values():
            site.aws.functions.update_event_source_mapping(UUID=resources.mapping_id, Enabled=enabled)


@dataclass(frozen=True)
class Throttled:
    """Every function's reserved concurrency is this small: 0 throttles every invocation."""

    concurrency: int

    @property
    def name(self) -> str:
        return f"reserved concurrency {self.concurrency}"

    def inject(self, site: Site) -> Callable[[], str | None]:
        client = site.aws.functions
        for resources in site.provisioned.types.values():
            client.put_function_concurrency(
                FunctionName=resources.function_name, ReservedConcurrentExecutions=self.concurrency
            )

        def heal() -> str | None:
            done = len(site.history.invocations)
            held_up = sum(
                file.acknowledged_s is not None and file.success is None for file in site.history.files.values()
            )
            for name, resources in site.provisioned.types.items():
                wanted = site.pipeline.function_of(name).reserved_concurrency
                if wanted is None:
                    client.delete_function_concurrency(FunctionName=resources.function_name)
                else:
                    client.put_function_concurrency(
                        FunctionName=resources.function_name, ReservedConcurrentExecutions=wanted
                    )
            return f"{held_up} files waited, {done} invocations had been made" if held_up else None

        return heal


@dataclass(frozen=True)
class Deployed:
    """Every function gets its image again while files are on their way: its execution environments are replaced."""

    @property
    def name(self) -> str:
        return "functions deployed during load"

    def inject(self, site: Site) -> Callable[[], str | None]:
        client, before = site.aws.functions, {event["environment_id"] for event in site.history.invocations}
        for name, resources in site.provisioned.types.items():
            client.update_function_code(
                FunctionName=resources.function_name, ImageUri=site.pipeline.function_of(name).image
            )

        def heal() -> str | None:
            for resources in site.provisioned.types.values():
                client.get_waiter("function_updated_v2").wait(
                    FunctionName=resources.function_name, WaiterConfig={"Delay": 1}
                )
            site.wait_until_handled()
            after = {event["environment_id"] for event in site.history.invocations} - before
            return f"{len(before)} execution environments gave way to {len(after)}" if before and after else None

        return heal


@dataclass(frozen=True)
class Breaks:
    """One in `one_in` messages breaks its first invocation after the handler has done its work: the process ends, or
    takes longer than its timeout, or more memory than it has. The function runs with `harness.faults.in_function` in
    front of its handler, so it needs the harness in its own environment."""

    how: Literal["crash", "timeout", "memory"]
    one_in: int = 3

    @property
    def name(self) -> str:
        return f"function: {self.how} in one of {self.one_in} first deliveries"

    def inject(self, site: Site) -> Callable[[], str | None]:
        before = {name: self._configuration(site, one) for name, one in site.provisioned.types.items()}
        for name, resources in site.provisioned.types.items():
            variables = before[name]["Environment"]["Variables"] | {
                "NRT_FAULT": self.how,
                "NRT_FAULT_ONE_IN": str(self.one_in),
                "NRT_FAULT_HANDLER": site.pipeline.function_of(name).handler,
            }
            command = {"Command": ["harness.faults.in_function.handler"]}
            _configure(
                site,
                resources,
                {
                    "Environment": {"Variables": variables},
                    "ImageConfig": before[name]["ImageConfig"] | command,
                },
            )

        def heal() -> str | None:
            site.wait_until_handled()
            broken = sum(event["status"] != "ok" for event in site.history.invocations)
            for name, resources in site.provisioned.types.items():
                _configure(site, resources, before[name])
            return f"{broken} invocations broke" if broken else None

        return heal

    def _configuration(self, site: Site, resources: TypeResources) -> dict[str, Any]:
        found = site.aws.functions.get_function_configuration(FunctionName=resources.function_name)
        return {
            "Environment": {"Variables": found["Environment"]["Variables"]},
            "ImageConfig": found["ImageConfigResponse"]["ImageConfig"],
        }


def _configure(site: Site, resources: TypeResources, configuration: dict[str, Any]) -> None:
    client = site.aws.functions
    client.update_function_configuration(FunctionName=resources.function_name, **configuration)
    client.get_waiter("function_updated_v2").wait(FunctionName=resources.function_name, WaiterConfig={"Delay": 1})
