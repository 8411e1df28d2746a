"""What template.yaml says, resolved: the one source of the local stack's resources, functions and routes.

Only what the template uses is understood. Anything else is a TemplateError, never a guess: a local stack that
quietly lacks a resource would pass tests that AWS fails.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "000000000000"  # what ministack gives to any access key that is not itself an account number
REGION = "us-east-1"
MOST_AT_ONCE = 1000  # batches of a queue that Lambda has under way where nothing bounds it
GONE = object()  # AWS::NoValue: the property is as if it were not written


class TemplateError(Exception):
    """The template uses something that the local stack does not know."""


@dataclass(frozen=True)
class Physical:
    """A made resource: what Ref and GetAtt answer for it."""

    ref: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Resource:
    name: str  # the logical id
    type: str
    properties: Mapping[str, Any]  # not yet resolved


@dataclass(frozen=True)
class Function:
    name: str
    code: Path
    handler: str = "app.handler"
    timeout: int = 3  # seconds; this and the next are Lambda's own defaults
    memory: int = 128
    environment: Mapping[str, Any] = field(default_factory=dict)  # not yet resolved: it names what is still to be made
    layers: tuple[str, ...] = ()
    events: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    method: str  # "ANY" matches all
    path: str  # "$default" catches what no other route matches
    function: str

    @property
    def key(self) -> str:
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True)
class Schedule:
    """EventBridge Scheduler starting one function."""

    name: str
    function: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class QueueEvent:
    """A queue's messages delivered to one function."""

    function: str
    queue: Any  # not yet resolved: an ARN
    batch_size: int
    reports_failures: bool
    enabled: bool
    concurrency: int  # so many batches at once at the most


LookUp = Callable[[str], Physical]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags; dates stay text ("2010-09-09" is a version)."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)  # as the long form has it
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


yaml.add_multi_constructor("!", _short_tag, _Loader)


def load_document(text: str) -> dict[str, Any]:
    return yaml.load(text, _Loader)  # as safe as a SafeLoader: the tags make nothing but dicts


class Template:
    """One template with its parameters filled in and its conditions applied."""

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        directory: Path,
        parameters: Mapping[str, str] | None = None,
        stack_name: str = "switchboard-local",
    ) -> None:
        self.stack_name = stack_name
        self._directory = directory
        self._mappings: Mapping[str, Any] = document.get("Mappings", {})
        self._conditions: Mapping[str, Any] = document.get("Conditions", {})
        self._globals: Mapping[str, Any] = document.get("Globals", {}).get("Function", {})
        self._known = {
            "AWS::StackName": stack_name,
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": GONE,
            **self._parameters(document.get("Parameters", {}), parameters or {}),
        }
        self._declared: Mapping[str, Any] = document["Resources"]
        self.resources = {
            name: Resource(name, declared["Type"], declared.get("Properties", {}))
            for name, declared in self._declared.items()
            if "Condition" not in declared or self.condition(declared["Condition"])
        }
        self.functions = {
            resource.name: self._function(resource)
            for resource in self.resources.values()
            if resource.type == "AWS::Serverless::Function"
        }

    @classmethod
    def load(
        cls, path: Path, *, parameters: Mapping[str, str] | None = None, stack_name: str = "switchboard-local"
    ) -> "Template":
        document = load_document(path.read_text())
        return cls(document, directory=path.resolve().parent, parameters=parameters, stack_name=stack_name)

    @staticmethod
    def _parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
        if unknown := given.keys() - declared.keys():
            raise TemplateError(f"no such parameter: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {}
        for name, parameter in declared.items():
            if name not in given and "Default" not in parameter:
                raise TemplateError(f"parameter {name} has no default and was not given")
            value = str(given.get(name, parameter.get("Default")))
            if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
                raise TemplateError(f"parameter {name} may not be {value!r}")
            if "List" in parameter["Type"]:
                values[name] = [part.strip() for part in value.split(",")] if value else []
            else:
                values[name] = value
        return values

    def of_type(self, *types: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type in types]

    @property
    def tables(self) -> list[Resource]:
        return self.of_type("AWS::DynamoDB::Table")

    @property
    def secrets(self) -> list[Resource]:
        return self.of_type("AWS::SecretsManager::Secret")

    @property
    def queues(self) -> list[Resource]:
        return self.of_type("AWS::SQS::Queue")

    @property
    def routes(self) -> list[Route]:
        """What the HTTP API answers, read from the functions' HttpApi events."""
        for api in self.of_type("AWS::Serverless::HttpApi"):
            self._check_api(api)
        found: list[Route] = []
        for function, event in self._events("HttpApi"):
            path = event.get("Path", "$default")
            if event.get("PayloadFormatVersion", "2.0") != "2.0":
                raise TemplateError(f"{function}: only payload format 2.0 is known, on {path}")
            method = str(event.get("Method", "ANY")).upper()
            found.append(Route("ANY" if method in ("*", "X-AMAZON-APIGATEWAY-ANY-METHOD") else method, path, function))
        if len({route.key for route in found}) != len(found):
            raise TemplateError("two events claim the same route")
        return found

    def _check_api(self, api: Resource) -> None:
        """The gateway answers at the root and adds no CORS; an API that asks for more is not the one it plays."""
        idle = {"Name", "Description", "FailOnWarnings", "DefaultRouteSettings", "AccessLogSettings", "Tags"}
        asked = self.resolve({name: value for name, value in api.properties.items() if name not in idle})
        if asked != {"StageName": "$default"}:
            raise TemplateError(f"{api.name}: the local gateway only knows StageName $default, not {asked}")

    @property
    def schedules(self) -> list[Schedule]:
        found = [
            Schedule(f"{self.stack_name}-{function.name}-{name}", function.name, event.get("Properties", {}))
            for function in self.functions.values()
            for name, event in function.events.items()
            if event["Type"] == "ScheduleV2"
        ]
        for resource in self.of_type("AWS::Scheduler::Schedule"):
            target = resource.properties["Target"]["Arn"]
            match target:
                case {"Fn::GetAtt": [str(function), "Arn"]} | {"Ref": str(function)} if function in self.functions:
                    name = resource.properties.get("Name", f"{self.stack_name}-{resource.name}")
                    found.append(Schedule(str(self.resolve(name)), function, resource.properties))
                case _:
                    raise TemplateError(f"{resource.name}: its target is not one of our functions: {target}")
        return found

    @property
    def queue_events(self) -> list[QueueEvent]:
        return [
            QueueEvent(
                function=function,
                queue=event["Queue"],
                batch_size=int(self.resolve(event.get("BatchSize", 10))),
                reports_failures="ReportBatchItemFailures" in event.get("FunctionResponseTypes", []),
                enabled=bool(self.resolve(event.get("Enabled", True))),
                concurrency=int(self.resolve(event.get("ScalingConfig", {}).get("MaximumConcurrency", MOST_AT_ONCE))),
            )
            for function, event in self._events("SQS")
        ]

    def _events(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        known = {"HttpApi", "SQS", "ScheduleV2"}
        for function in self.functions.values():
            for name, event in function.events.items():
                if event["Type"] not in known:
                    raise TemplateError(f"{function.name}.{name}: event type {event['Type']} is not known")
                if event["Type"] == kind:
                    yield function.name, event.get("Properties", {})

    def _function(self, resource: Resource) -> Function:
        shared, own = self._globals, resource.properties
        merged = {**shared, **own}
        layers: list[Any] = [*shared.get("Layers", []), *own.get("Layers", [])]
        environment: dict[str, Any] = {
            **shared.get("Environment", {}).get("Variables", {}),
            **own.get("Environment", {}).get("Variables", {}),
        }
        return Function(
            name=resource.name,
            code=self._directory / self.resolve(merged["CodeUri"]),
            handler=self.resolve(merged["Handler"]),
            timeout=int(self.resolve(merged.get("Timeout", 3))),
            memory=int(self.resolve(merged.get("MemorySize", 128))),
            environment=environment,
            layers=tuple(layer["Ref"] for layer in layers if layer.get("Ref") in self.resources),
            events=own.get("Events", {}),
        )

    def condition(self, value: Any) -> bool:
        """A condition by name, or written out."""
        match value:
            case str() if value in self._conditions:
                return self.condition(self._conditions[value])
            case {"Condition": name}:
                return self.condition(name)
            case {"Fn::Equals": [left, right]}:
                return self.resolve(left) == self.resolve(right)
            case {"Fn::Not": [inner]}:
                return not self.condition(inner)
            case {"Fn::And": [*parts]}:
                return all(self.condition(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return any(self.condition(part) for part in parts)
            case _:
                raise TemplateError(f"unknown condition: {value}")

    def resolve(self, value: Any, look_up: LookUp | None = None) -> Any:
        """Replace the intrinsic functions in a value; look_up answers for resources."""
        if isinstance(value, list):
            return [item for item in (self.resolve(part, look_up) for part in value) if item is not GONE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in ("Ref", "Condition") or str(name).startswith("Fn::"):
                return self._intrinsic(name, argument, look_up)
        resolved = {key: self.resolve(part, look_up) for key, part in value.items()}
        return {key: part for key, part in resolved.items() if part is not GONE}

    def _intrinsic(self, name: str, argument: Any, look_up: LookUp | None) -> Any:
        match name, argument:
            case "Ref", str():
                return self._known[argument] if argument in self._known else self._physical(argument, look_up).ref
            case "Fn::GetAtt", [str(resource), str(attribute)]:
                attributes = self._physical(resource, look_up).attributes
                if attribute not in attributes:
                    raise TemplateError(f"{resource} has no attribute {attribute} here")
                return attributes[attribute]
            case "Fn::Sub", str():
                return self._substitute(argument, {}, look_up)
            case "Fn::Sub", [str(text), dict(variables)]:
                return self._substitute(text, variables, look_up)
            case "Fn::Join", [str(separator), parts]:
                return separator.join(str(part) for part in self.resolve(parts, look_up))
            case "Fn::If", [condition, then, otherwise]:
                return self.resolve(then if self.condition(condition) else otherwise, look_up)
            case "Fn::FindInMap", [table, row, column]:
                try:
                    return self._mappings[table][self.resolve(row)][self.resolve(column)]
                except KeyError as missing:
                    raise TemplateError(f"mapping {table} has no {missing}") from None
            case _:
                raise TemplateError(f"{name} of {argument} is not known")

    def _substitute(self, text: str, variables: Mapping[str, Any], look_up: LookUp | None) -> str:
        def replace(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):  # ${!Literal} stands for ${Literal}
                return "${" + name[1:] + "}"
            if name in variables:
                return str(self.resolve(variables[name], look_up))
            if "." in name:
                return str(self._intrinsic("Fn::GetAtt", name.split(".", 1), look_up))
            return str(self._intrinsic("Ref", name, look_up))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def _physical(self, name: str, look_up: LookUp | None) -> Physical:
        if name not in self._declared:
            raise TemplateError(f"{name} is neither a parameter nor a resource")
        if name not in self.resources:
            raise TemplateError(f"{name} is left out by its condition")
        if look_up is None:
            raise TemplateError(f"{name} is a resource; its value is known only once it has been made")
        return look_up(name)
