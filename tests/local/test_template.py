"""template.yaml is read as CloudFormation and SAM read it, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from tests.local.process import ROOT
from tests.local.template import GONE, MOST_AT_ONCE, Function, Physical, Route, Template, TemplateError, load_document

DOCUMENT = """
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Origins: {Type: CommaDelimitedList, Default: "a, b"}
Mappings:
  Sizes: {dev: {Memory: 256}, prod: {Memory: 1024}}
Conditions:
  Lasting: !Equals [!Ref Stage, prod]
  Passing: !Not [!Condition Lasting]
  Both: !And [!Condition Lasting, !Condition Passing]
  Either: !Or [!Condition Lasting, !Condition Passing]
Globals:
  Function:
    Handler: app.handler
    Timeout: 29
    MemorySize: !FindInMap [Sizes, !Ref Stage, Memory]
    Layers: [!Ref Layer]
    Environment: {Variables: {TABLE: !Ref Things, SHARED: "yes"}}
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default}}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Things: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "${AWS::StackName}-things"}}
  Kept: {Type: AWS::DynamoDB::Table, Condition: Lasting, Properties: {}}
  Jobs: {Type: AWS::SQS::Queue}
  Key: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  View:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/view/
      Timeout: 5
      Environment: {Variables: {OWN: !GetAtt Things.Arn}}
      Events:
        One: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: "/things/{id}"}}
        Rest: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/work
      Events:
        Tick: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(5 minutes), Input: "{}"}}
        Jobs:
          Type: SQS
          Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 5, FunctionResponseTypes: [ReportBatchItemFailures]}
"""


def template(changes: str = "", *, text: str = DOCUMENT, **parameters: str) -> Template:
    document = load_document(text)
    for section, content in load_document(changes or "{}").items():
        document.setdefault(section, {}).update(content)
    return Template(document, directory=Path("/project"), parameters=parameters, stack_name="mine")


def look_up(name: str) -> Physical:
    return Physical(f"{name}-ref", {"Arn": f"{name}-arn"})


def resolved(text: str, **parameters: str) -> Any:
    return template(**parameters).resolve(load_document(text), look_up)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref Origins", ["a", "b"]),
        ("!Ref AWS::StackName", "mine"),
        ("!Ref Things", "Things-ref"),
        ("!GetAtt Things.Arn", "Things-arn"),
        ("{Fn::GetAtt: [Things, Arn]}", "Things-arn"),
        ("!Sub '${Things}/${Things.Arn}/${Stage}/${!Kept}'", "Things-ref/Things-arn/dev/${Kept}"),
        ("!Sub ['${Own}-${Stage}', {Own: !Ref Things}]", "Things-ref-dev"),
        ("!Join ['-', [a, !Ref Stage]]", "a-dev"),
        ("!If [Passing, now, later]", "now"),
        ("!If [Both, now, later]", "later"),
        ("!If [Either, now, later]", "now"),
        ("{kept: 1, gone: !If [Lasting, 2, !Ref AWS::NoValue]}", {"kept": 1}),
        ("[1, !Ref AWS::NoValue]", [1]),
        ("!FindInMap [Sizes, !Ref Stage, Memory]", 256),
        ("{Day: 2010-09-09}", {"Day": "2010-09-09"}),
    ],
)
def test_an_intrinsic_function_gives_what_cloudformation_gives(text: str, value: Any) -> None:
    assert resolved(text) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("!Ref Nothing", "neither a parameter nor a resource"),
        ("!GetAtt Things.Colour", "no attribute Colour"),
        ("!Ref Kept", "left out by its condition"),
        ("!Select [0, [a]]", "Fn::Select .* is not known"),
        ("!FindInMap [Sizes, middle, Memory]", "no 'middle'"),
        ("!If [Unheard, 1, 2]", "unknown condition"),
    ],
)
def test_what_is_not_known_is_an_error_and_never_a_guess(text: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        resolved(text)


def test_a_resource_has_no_value_before_it_is_made() -> None:
    with pytest.raises(TemplateError, match="once it has been made"):
        template().resolve({"Ref": "Things"})


def test_no_value_is_not_a_value() -> None:
    assert template().resolve({"Ref": "AWS::NoValue"}) is GONE


@pytest.mark.parametrize(
    ("parameters", "complaint"), [({"Stage": "moon"}, "may not be 'moon'"), ({"Color": "red"}, "no such parameter")]
)
def test_a_parameter_must_be_declared_and_allowed(parameters: dict[str, str], complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        template(**parameters)


def test_a_condition_decides_whether_a_resource_is_there() -> None:
    assert "Kept" not in template().resources
    assert "Kept" in template(Stage="prod").resources


def test_data_resources_are_found_by_kind() -> None:
    made = template()
    assert [[resource.name for resource in kind] for kind in (made.tables, made.secrets, made.queues)] == [
        ["Things"],
        ["Key"],
        ["Jobs"],
    ]


def test_a_function_is_its_own_entry_on_top_of_the_globals() -> None:
    functions = template().functions
    assert functions["View"] == Function(
        name="View",
        code=Path("/project/functions/view"),
        handler="app.handler",
        timeout=5,
        memory=256,
        environment={"TABLE": {"Ref": "Things"}, "SHARED": "yes", "OWN": {"Fn::GetAtt": ["Things", "Arn"]}},
        layers=("Layer",),
        events=functions["View"].events,
    )
    assert functions["Work"].timeout == 29


def test_routes_come_from_the_events_and_one_without_a_path_is_the_default() -> None:
    routes = template().routes
    assert routes == [Route("GET", "/things/{id}", "View"), Route("ANY", "$default", "View")]
    assert [route.key for route in routes] == ["GET /things/{id}", "$default"]


def test_schedules_and_queues_name_the_function_that_they_start() -> None:
    made = template()
    [schedule], [event] = made.schedules, made.queue_events
    assert (schedule.name, schedule.function) == ("mine-Work-Tick", "Work")
    assert (event.function, event.batch_size, event.reports_failures, event.enabled) == ("Work", 5, True, True)
    assert event.concurrency == MOST_AT_ONCE


def test_a_queue_may_be_bounded_in_how_many_batches_it_has_under_way() -> None:
    text = DOCUMENT.replace("BatchSize: 5,", "BatchSize: 5, ScalingConfig: {MaximumConcurrency: 7},")
    assert text != DOCUMENT
    assert [event.concurrency for event in template(text=text).queue_events] == [7]


def test_a_schedule_may_be_a_resource_of_its_own_if_its_target_is_a_function_of_ours() -> None:
    def tick(target: str) -> str:
        properties = f"{{ScheduleExpression: rate(1 day), Target: {{Arn: {target}, Input: '{{}}'}}}}"
        return f"{{Resources: {{Daily: {{Type: AWS::Scheduler::Schedule, Properties: {properties}}}}}}}"

    found = {schedule.name: schedule.function for schedule in template(tick("!GetAtt Work.Arn")).schedules}
    assert found == {"mine-Work-Tick": "Work", "mine-Daily": "Work"}
    with pytest.raises(TemplateError, match="not one of our functions"):
        _ = template(tick("!GetAtt Jobs.Arn")).schedules


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ("{Resources: {Api: {Type: AWS::Serverless::HttpApi, Properties: {StageName: v1}}}}", "only knows StageName"),
        (
            "{Resources: {Api: {Type: AWS::Serverless::HttpApi,"
            " Properties: {StageName: $default, CorsConfiguration: true}}}}",
            "CorsConfiguration",
        ),
        (
            "{Resources: {New: {Type: AWS::Serverless::Function,"
            " Properties: {CodeUri: new, Events: {Bucket: {Type: S3}}}}}}",
            "event type S3 is not known",
        ),
        (
            "{Resources: {New: {Type: AWS::Serverless::Function,"
            " Properties: {CodeUri: new, Events: {Rest: {Type: HttpApi}}}}}}",
            "same route",
        ),
    ],
)
def test_an_edge_that_the_gateway_cannot_play_is_refused(changes: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        _ = template(changes).routes


def test_the_projects_own_template_is_understood() -> None:
    ours = Template.load(ROOT / "template.yaml", parameters={"Stage": "local"})
    assert ours.functions
    assert {route.function for route in ours.routes} <= ours.functions.keys()
    assert [route.key for route in ours.routes].count("$default") == 1
    assert all(schedule.function in ours.functions for schedule in ours.schedules)
    assert all(event.function in ours.functions for event in ours.queue_events)
