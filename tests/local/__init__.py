"""The local stack: AWS fakes, Lambda's own emulator and a gateway, all made from template.yaml; no Docker, no cloud.

template   what template.yaml says, resolved
ministack  DynamoDB, Secrets Manager, SQS and EventBridge Scheduler in one process
provision  the template's data resources, made in ministack
emulator   one function under AWS's Runtime Interface Emulator, and a pool of them
gateway    an HTTP API: requests to payload format 2.0 events, answers back
delivery   queues and schedules to functions
stack      all of it, and the sandbox of fake CRMs, as one context manager
"""
