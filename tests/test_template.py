"""What template.yaml promises: folders, routes and events agree; who may touch what; what is kept; what is watched."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from switchboard.api.routes import ROUTES
from tests.local.template import Physical, Template, load_document

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "template.yaml").read_text()
DOCUMENT = load_document(TEXT)
RESOURCES: Mapping[str, Any] = DOCUMENT["Resources"]
SHARED: Mapping[str, Any] = DOCUMENT["Globals"]["Function"]
SECRETS = "arn:aws:secretsmanager:us-east-1:000000000000:secret:switchboard/dev"

FUNCTIONS = sorted(name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Serverless::Function")
QUEUES = sorted(name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::SQS::Queue")
TABLES = sorted(name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::DynamoDB::Table")
FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


def pascal(folder: str) -> str:
    return "".join(word.capitalize() for word in folder.split("_"))


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def template(**parameters: str) -> Template:
    return Template(DOCUMENT, directory=ROOT, parameters=parameters)


def as_made(name: str) -> Physical:
    return Physical(name, {"Arn": f"{name}.Arn", "QueueName": f"{name}.QueueName"})


def properties(name: str, **parameters: str) -> dict[str, Any]:
    made = template(**parameters)
    return made.resolve(made.resources[name].properties, as_made)


def rights(name: str, **parameters: str) -> list[dict[str, Any]]:
    """The statements of a function's policies; each has lists under Action and Resource."""
    return [
        statement
        | {key: [value] if isinstance(value := statement[key], str) else value for key in ("Action", "Resource")}
        for policy in properties(name, **parameters).get("Policies", [])
        for statement in policy["Statement"]
    ]


def of_type(kind: str) -> list[str]:
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


def alarms_of(function: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those that look at the function's own metrics, or at the metric that its log is filtered into."""
    filtered = {
        made["MetricName"]
        for name in of_type("AWS::Logs::MetricFilter")
        if (found := properties(name))["LogGroupName"] == f"{function}Logs"
        for made in found["MetricTransformations"]
    }
    for name in of_type("AWS::CloudWatch::Alarm"):
        alarm = properties(name)
        if alarm["MetricName"] in filtered or {"Name": "FunctionName", "Value": function} in alarm.get(
            "Dimensions", []
        ):
            yield name, alarm


# Folders, functions, routes, events


def test_every_function_folder_is_a_function_and_every_function_a_folder() -> None:
    assert sorted(map(pascal, FOLDERS)) == FUNCTIONS
    assert {name: RESOURCES[name]["Properties"]["CodeUri"] for name in FUNCTIONS} == {
        name: f"functions/{snake(name)}/" for name in FUNCTIONS
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_started_by_something(name: str) -> None:
    assert RESOURCES[name]["Properties"]["Events"]


def test_every_function_has_an_event_file_and_every_event_file_a_function() -> None:
    assert sorted(path.stem for path in (ROOT / "events").iterdir()) == [snake(name) for name in FUNCTIONS]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_event_file_is_what_the_functions_own_route_would_send(name: str) -> None:
    routes = {route.key for route in template().routes if route.function == name}
    event = json.loads((ROOT / f"events/{snake(name)}.json").read_text())
    if not routes:  # started by a schedule or a queue
        assert "routeKey" not in event
        return
    http = event["requestContext"]["http"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"]
    assert event["routeKey"] in routes
    assert event["rawPath"] == http["path"]
    if event["routeKey"] != "$default":
        method, path = event["routeKey"].split(" ")
        assert method == http["method"]
        assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), event["rawPath"])
    else:
        assert f"{http['method']} {event['rawPath']}" not in {route.key for route in template().routes}


def test_no_event_file_holds_a_key_that_opens_anything() -> None:
    keys = re.findall(r"trpt_\w+", "".join(path.read_text() for path in (ROOT / "events").iterdir()))
    assert keys
    assert set(keys) == {"trpt_demo00_REPLACE"}


def test_the_routes_are_those_of_the_code() -> None:
    told = {route.key: route.function for route in template().routes if route.key != "$default"}
    said = {
        f"{method} {path}": "".join(word.title() for word in function.split("_"))
        for path, methods in ROUTES.items()
        for method, function in methods.items()
    }
    assert told == said


def test_what_no_route_matches_goes_to_unknown_route() -> None:
    assert [route.function for route in template().routes if route.key == "$default"] == ["UnknownRoute"]


def test_an_answer_is_due_before_the_http_api_gives_up() -> None:
    assert all(template().functions[route.function].timeout < 30 for route in template().routes)


# What a function is made of


def test_the_layer_is_built_from_the_folder_that_holds_package_and_requirements_side_by_side() -> None:
    content = ROOT / properties("Layer")["ContentUri"]
    assert content == ROOT / "layers/switchboard/python"
    assert (content / "requirements.txt").is_file()
    assert (content / "switchboard/__init__.py").is_file()


def test_layer_and_functions_are_of_one_architecture_and_it_is_arm_unless_told() -> None:
    own = {"Ref": "Architecture"}
    assert DOCUMENT["Parameters"]["Architecture"]["Default"] == "arm64"
    assert RESOURCES["Layer"]["Metadata"]["BuildArchitecture"] == own
    assert RESOURCES["Layer"]["Properties"]["CompatibleArchitectures"] == [own]
    assert SHARED["Architectures"] == [own]
    assert not any("Architectures" in RESOURCES[name]["Properties"] for name in FUNCTIONS)


def test_layer_and_functions_run_the_python_that_the_project_names() -> None:
    python = f"python{(ROOT / '.python-version').read_text().strip()}"
    assert RESOURCES["Layer"]["Metadata"]["BuildMethod"] == python
    assert RESOURCES["Layer"]["Properties"]["CompatibleRuntimes"] == [python]
    assert SHARED["Runtime"] == python


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_change_of_the_layer_alone_reaches_the_alias(name: str) -> None:
    assert SHARED["AutoPublishAlias"] == "live"
    assert RESOURCES["Layer"]["Properties"]["PublishLambdaVersion"] is True
    assert RESOURCES[name]["Properties"]["AutoPublishAliasAllProperties"] is True


def test_snapshots_are_off_unless_asked_for() -> None:
    assert "SnapStart" not in template().resolve(SHARED, as_made)
    asked = template(SnapStart="PublishedVersions").resolve(SHARED, as_made)
    assert asked["SnapStart"] == {"ApplyOn": "PublishedVersions"}


def test_the_package_reads_the_variables_that_the_template_sets_and_no_others() -> None:
    given = variables("local")
    package = (ROOT / "layers/switchboard/python/switchboard").rglob("*.py")
    whole = re.compile(r"\bSWITCHBOARD_[A-Z_]*[A-Z]\b")
    read = {found for path in package for found in whole.findall(path.read_text())}
    assert read == given - {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL", "AWS_ENDPOINT_URL"}


def variables(stage: str) -> set[str]:
    made = template(Stage=stage)
    functions = made.functions.values()
    return {name for function in functions for name in made.resolve(dict(function.environment), as_made)}


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_only_the_local_stage_can_send_a_function_elsewhere(stage: str) -> None:
    assert variables("local") - variables(stage) == {"SWITCHBOARD_ORIGINS", "AWS_ENDPOINT_URL"}


def test_variables_name_this_stacks_tables_and_the_prefix_of_its_secrets() -> None:
    made = template(Stage="prod")
    given = {name: made.resolve(value, as_made) for name, value in made.functions["CreateLead"].environment.items()}
    assert given["SWITCHBOARD_SECRETS"] == "switchboard/prod"
    assert {name: value for name, value in given.items() if name.endswith("_TABLE")} == {
        "SWITCHBOARD_ACCESS_TABLE": "Access",
        "SWITCHBOARD_ONCE_TABLE": "Once",
        "SWITCHBOARD_PODS_TABLE": "Pods",
        "SWITCHBOARD_CONTACTS_TABLE": "Contacts",
    }


def test_the_queue_is_named_to_those_who_put_something_into_it_and_to_nobody_else() -> None:
    made = template()
    told = {
        name: made.resolve(function.environment["SWITCHBOARD_SYNC_QUEUE"], as_made)
        for name, function in made.functions.items()
        if "SWITCHBOARD_SYNC_QUEUE" in function.environment
    }
    assert told == {"PlanSyncs": "SyncQueue", "RunSync": "SyncQueue"}
    senders = {name for name in FUNCTIONS for statement in rights(name) if statement["Action"] == ["sqs:SendMessage"]}
    assert senders == told.keys()


# Rights


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_policy_holds_a_star_but_at_the_end_of_a_secrets_prefix(name: str) -> None:
    for statement in rights(name, KmsKeyArn="arn:aws:kms:us-east-1:000000000000:key/own"):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        for resource in statement["Resource"]:
            assert "*" not in resource.removesuffix("/*")
            assert not resource.endswith("*") or re.fullmatch(rf"{re.escape(SECRETS)}/(accounts|apps)/\*", resource)


ITEMS = {f"dynamodb:{verb}Item" for verb in ("Get", "Put", "Update", "Delete")}
CRM_RIGHTS = {
    "Access.Arn": ITEMS,  # a key is stamped, an account read and marked, a lease taken and given back
    f"{SECRETS}/accounts/*": {"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"},
    f"{SECRETS}/apps/*": {"secretsmanager:GetSecretValue"},
}
QUERY, FETCH, SPREAD = "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"
ONCE = ITEMS - {"dynamodb:UpdateItem"}
KEEPING = {*ONCE, QUERY}
SIGNING = {"SigningSecret": {"secretsmanager:GetSecretValue"}}
CREATE_RIGHTS = {**CRM_RIGHTS, "Once.Arn": ONCE}
REMOVING = {FETCH, "dynamodb:PutItem", "dynamodb:DeleteItem"}  # a contact stays a while as one that is gone
SENDING = {"SyncQueue.Arn": {"sqs:SendMessage"}}
POD_RIGHTS = {**CRM_RIGHTS, "Access.Arn": {*ITEMS, QUERY}}
RIGHTS: dict[str, dict[str, set[str]]] = {
    **dict.fromkeys(("CreatePipeline", "CreateStage"), CREATE_RIGHTS),
    "CreateLead": {**CREATE_RIGHTS, "Contacts.Arn": {*REMOVING, SPREAD}},
    "GetRecord": CRM_RIGHTS,
    "DeleteRecord": {**CRM_RIGHTS, "Contacts.Arn": {*REMOVING, SPREAD}},
    "ListRecords": {**CRM_RIGHTS, **SIGNING},
    "ListCapabilities": {"Access.Arn": {"dynamodb:UpdateItem"}},
    "CreatePod": {**POD_RIGHTS, "Once.Arn": ONCE, "Pods.Arn": {"dynamodb:GetItem", "dynamodb:PutItem", QUERY}},
    "RefreshPod": {**POD_RIGHTS, "Once.Arn": ONCE, "Pods.Arn": {"dynamodb:GetItem", "dynamodb:PutItem"}},
    "PreviewTemplate": {**POD_RIGHTS, "Pods.Arn": {"dynamodb:GetItem"}},
    "ManagePods": {"Access.Arn": {"dynamodb:UpdateItem", QUERY}, "Pods.Arn": KEEPING, **SIGNING},
    "ManageTemplates": {"Access.Arn": {"dynamodb:UpdateItem"}, "Once.Arn": ONCE, "Pods.Arn": KEEPING, **SIGNING},
    "ViewPod": {"Pods.Arn": {"dynamodb:GetItem"}},
    "SearchContacts": {"Access.Arn": {"dynamodb:UpdateItem", QUERY}, "Contacts.Arn": {FETCH, QUERY}, **SIGNING},
    "PlanSyncs": {"Contacts.Arn/index/due": {QUERY}, "Contacts.Arn": {"dynamodb:UpdateItem"}, **SENDING},
    "RunSync": {**CRM_RIGHTS, "Contacts.Arn": {*ITEMS, QUERY, FETCH, SPREAD}, **SENDING},
    "UnknownRoute": {},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_this_and_nothing_else(name: str) -> None:
    allowed: dict[str, set[str]] = {}
    for statement in rights(name):
        for resource in statement["Resource"]:
            allowed.setdefault(resource, set()).update(statement["Action"])
    assert allowed == RIGHTS[name]


def test_who_shows_pages_may_read_nothing_but_what_the_public_may_see() -> None:
    [statement] = rights("ViewPod")
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "page#*"}}


def test_unknown_route_may_touch_no_table_and_no_secret() -> None:
    assert rights("UnknownRoute") == []


def test_an_own_key_is_used_through_dynamodb_and_secrets_manager_only() -> None:
    arn = "arn:aws:kms:us-east-1:000000000000:key/own"
    [key] = [statement for statement in rights("CreateLead", KmsKeyArn=arn) if statement["Resource"] == [arn]]
    assert key["Condition"] == {
        "StringEquals": {
            "kms:ViaService": ["dynamodb.us-east-1.amazonaws.com", "secretsmanager.us-east-1.amazonaws.com"]
        }
    }


# Data at rest


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_on_demand_encrypted_restorable_and_forgets_what_expires(name: str) -> None:
    table = properties(name)
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert properties(name, KmsKeyArn="own")["SSESpecification"]["KMSMasterKeyId"] == "own"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_outlives_its_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    ("stage", "asked", "protected"),
    [
        ("local", "true", False),
        ("dev", "true", False),
        ("staging", "true", True),
        ("staging", "false", False),
        ("prod", "true", True),
        ("prod", "false", False),
    ],
)
def test_a_table_is_protected_where_it_lasts_until_told_otherwise(
    name: str, stage: str, asked: str, protected: bool
) -> None:
    assert properties(name, Stage=stage, DeletionProtection=asked)["DeletionProtectionEnabled"] is protected


def test_tables_have_the_keys_that_the_package_writes() -> None:
    assert {name: [key["AttributeName"] for key in properties(name)["KeySchema"]] for name in TABLES} == {
        "Access": ["pk", "sk"],
        "Contacts": ["pk", "sk"],
        "Once": ["pk"],
        "Pods": ["pk", "sk"],
    }


def test_checkpoints_are_found_by_when_they_are_due_through_an_index_that_holds_keys_alone() -> None:
    [index] = properties("Contacts")["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
        ("planned", "HASH"),
        ("due_at", "RANGE"),
    ]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    kinds = {each["AttributeName"]: each["AttributeType"] for each in properties("Contacts")["AttributeDefinitions"]}
    assert kinds == {"pk": "S", "sk": "S", "planned": "S", "due_at": "N"}


@pytest.mark.parametrize("name", of_type("AWS::SecretsManager::Secret"))
def test_a_secret_is_generated_and_named_below_the_stages_prefix(name: str) -> None:
    secret = properties(name, Stage="prod")
    assert secret["Name"].startswith("switchboard/prod/")
    assert secret["GenerateSecretString"]["PasswordLength"] >= 64
    assert "SecretString" not in secret


# Syncs


def test_the_schedule_starts_the_planner_and_its_parameters_say_when_and_whether() -> None:
    [schedule] = template().schedules
    assert schedule.function == "PlanSyncs"
    asked = template(SyncSchedule="rate(1 hour)", SyncState="DISABLED")
    usual, other = (made.resolve(made.schedules[0].properties) for made in (template(), asked))
    assert usual == {"ScheduleExpression": "rate(5 minutes)", "State": "ENABLED"}
    assert other == {"ScheduleExpression": "rate(1 hour)", "State": "DISABLED"}


@pytest.mark.parametrize(
    ("given", "taken"),
    [("rate(5 minutes)", True), ("cron(0 4 * * ? *)", True), ("5 minutes", False), ("rate()", False), ("", False)],
)
def test_a_schedule_that_is_none_is_refused_before_anything_is_made(given: str, taken: bool) -> None:
    pattern = DOCUMENT["Parameters"]["SyncSchedule"]["AllowedPattern"]
    assert (re.fullmatch(pattern, given) is not None) is taken


def test_the_queue_starts_who_runs_syncs_and_gets_back_only_what_failed() -> None:
    [event] = template().queue_events
    assert (event.function, event.queue) == ("RunSync", {"Fn::GetAtt": ["SyncQueue", "Arn"]})
    assert event.reports_failures
    assert event.batch_size == 5
    assert event.concurrency == 20
    assert template(SyncWorkers="3").queue_events[0].concurrency == 3


def test_a_message_is_out_of_sight_for_six_times_what_its_function_may_take() -> None:
    [event] = template().queue_events
    assert properties("SyncQueue")["VisibilityTimeout"] == 6 * template().functions[event.function].timeout


def test_what_fails_five_times_waits_in_a_queue_of_the_dead_for_as_long_as_sqs_keeps_anything() -> None:
    assert properties("SyncQueue")["RedrivePolicy"] == {"deadLetterTargetArn": "SyncDead.Arn", "maxReceiveCount": 5}
    assert properties("SyncDead")["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert QUEUES == ["SyncDead", "SyncQueue"]


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_is_encrypted(name: str) -> None:
    assert properties(name)["SqsManagedSseEnabled"] is True


def test_the_dead_and_those_who_wait_for_more_than_an_hour_are_seen() -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]: (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"])
        for name in of_type("AWS::CloudWatch::Alarm")
        if (alarm := properties(name))["Namespace"] == "AWS/SQS"
    }
    assert watched == {
        "SyncDead.QueueName": ("ApproximateNumberOfMessagesVisible", "GreaterThanOrEqualToThreshold", 1),
        "SyncQueue.QueueName": ("ApproximateAgeOfOldestMessage", "GreaterThanThreshold", 3600),
    }


# The edge


def test_browsers_are_kept_out_unless_their_origins_are_given() -> None:
    assert "CorsConfiguration" not in properties("Api")
    [condition, cors, otherwise] = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert template(CorsOrigins="https://a.example").condition(condition)
    assert cors["AllowOrigins"] == {"Fn::Split": [",", {"Ref": "CorsOrigins"}]}
    assert otherwise == {"Ref": "AWS::NoValue"}


def test_no_name_holds_a_word_that_sam_rewrites_inside_a_conditional_cors_block() -> None:
    rewritten = ("AllowOrigins", "AllowHeaders", "AllowMethods", "ExposeHeaders", "MaxAge", "AllowCredentials")
    names = [*DOCUMENT["Parameters"], *DOCUMENT["Conditions"], *RESOURCES]
    assert not [name for name in names if any(word in name for word in rewritten)]


def test_the_api_is_throttled_as_a_whole() -> None:
    throttle = properties("Api", ThrottleRate="7", ThrottleBurst="9")["DefaultRouteSettings"]
    assert (throttle["ThrottlingRateLimit"], throttle["ThrottlingBurstLimit"]) == ("7", "9")


def test_the_access_log_is_json_and_holds_neither_query_nor_key() -> None:
    log = properties("Api")["AccessLogSettings"]
    assert log["DestinationArn"] == "ApiLogs.Arn"
    written = json.loads(log["Format"])
    assert {"requestId", "route", "status", "ms"} <= written.keys()
    assert not re.search(r"query|authorization|header", log["Format"], re.IGNORECASE)


# What is watched


def test_every_function_has_a_log_group_of_its_own() -> None:
    names = {properties(name)["LogGroupName"] for name in of_type("AWS::Logs::LogGroup")}
    assert {f"/aws/lambda/{name}" for name in FUNCTIONS} <= names
    assert SHARED["LoggingConfig"] == {"LogFormat": "JSON"}


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_no_log_is_kept_for_ever(name: str) -> None:
    assert properties(name, LogRetentionDays="7")["RetentionInDays"] == "7"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_watched_for_crashes_answers_500_slowness_and_throttling(name: str) -> None:
    assert {alarm["MetricName"] for _, alarm in alarms_of(name)} == {
        "Errors",
        f"{name}Failures",
        "Duration",
        "Throttles",
    }
    [slow] = [alarm for _, alarm in alarms_of(name) if alarm["MetricName"] == "Duration"]
    assert slow["ExtendedStatistic"] == "p99"
    assert slow["Threshold"] < template().functions[name].timeout * 1000


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_canary_is_rolled_back_by_the_functions_own_alarms(name: str) -> None:
    """The API's alarm cannot be among them: the API needs the alias, the alias its deployment, that its alarms."""
    own = {alarm_name for alarm_name, alarm in alarms_of(name) if alarm["MetricName"] != "Throttles"}
    assert set(properties(name)["DeploymentPreference"]["Alarms"]) == own


@pytest.mark.parametrize(("stage", "canary"), [("local", "false"), ("dev", "false"), ("prod", "true")])
def test_traffic_is_shifted_by_canary_in_prod(stage: str, canary: str) -> None:
    made = template(Stage=stage).resolve(SHARED["DeploymentPreference"])
    assert made == {"Enabled": canary, "Type": "Canary10Percent5Minutes"}


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_an_alarm_goes_to_the_topic_if_there_is_one(name: str) -> None:
    assert "AlarmActions" not in properties(name)
    assert properties(name, AlarmTopicArn="topic")["AlarmActions"] == ["topic"]


def test_the_dashboard_is_json() -> None:
    assert json.loads(properties("Dashboard")["DashboardBody"])["widgets"]


# How it is checked and deployed


def test_every_exception_to_a_check_gives_its_reason_where_it_stands() -> None:
    reasons = re.findall(r"checkov:skip=CKV\w+: (.+)", TEXT)
    assert len(reasons) == TEXT.count("checkov:skip")
    assert all(len(reason) > 20 for reason in reasons)
    ignored = re.findall(r"ignore_checks: \[(\w+)\]\S* # (\w+): (.+)", TEXT)
    assert len(ignored) == TEXT.count("ignore_checks")
    assert all(check == named and len(reason) > 20 for check, named, reason in ignored)
    assert not load_document((ROOT / ".checkov.yaml").read_text()).keys() & {"skip-check", "soft-fail"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_stage_deploys_what_was_built_for_it_and_never_what_was_built_for_a_test(stage: str) -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
    folder = settings[stage]["build"]["parameters"]["build_dir"]
    deploy = settings[stage]["deploy"]["parameters"]
    assert folder != ".aws-sam/build"
    assert deploy["template_file"] == f"{folder}/template.yaml"
    given = dict(pair.split("=") for pair in deploy["parameter_overrides"].split())
    assert given["Stage"] == stage
    assert template(**given).functions  # each is a parameter, and may have this value
