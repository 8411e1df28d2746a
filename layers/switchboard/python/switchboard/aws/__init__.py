"""The ports on DynamoDB and Secrets Manager. Nothing else imports boto3."""
