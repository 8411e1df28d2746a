"""The port `Secrets` on Secrets Manager.

<prefix>/accounts/<brand>/<account>   the credentials of an account
<prefix>/apps/<crm>                   client id and secret of the operator's OAuth app at a CRM
<prefix>/signing                      the key that signs cursors; made with the stack
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from switchboard.crm.auth import Credentials
from switchboard.crm.problem import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True, slots=True)
class SecretStore:
    """Credentials in Secrets Manager. `connect` makes the client when it is first needed."""

    connect: "Callable[[], SecretsManagerClient]"
    prefix: str
    _signing: list[bytes] = field(default_factory=list[bytes], repr=False)
    """The signing key, once it has been read: it stays as long as the stack."""

    def account(self, brand: str, id: str) -> Credentials:
        """The credentials of an account, as they stand now."""
        found = self._read(f"{self.prefix}/accounts/{brand}/{id}")
        if found is None:
            detail = "The credentials of this account are missing; the account has to be connected again."
            raise Problem(Kind.NEEDS_REAUTH, detail)
        return found

    def keep(self, brand: str, id: str, credentials: Credentials) -> None:
        """Store the credentials of an account that has some already."""
        name = f"{self.prefix}/accounts/{brand}/{id}"
        self.connect().put_secret_value(SecretId=name, SecretString=json.dumps(dict(credentials)))

    def app(self, crm: str) -> Credentials:
        """Our OAuth app at a CRM, read anew for every refresh: an operator may have renewed its secret."""
        found = self._read(f"{self.prefix}/apps/{crm}")
        if found is None:
            detail = "There is no OAuth app for this CRM; an operator has to set one."
            raise Problem(Kind.CRM_UNAVAILABLE, detail)
        return found

    def signing(self) -> bytes:
        """The key that signs what callers hold; read once per process."""
        if not self._signing:
            found = self.connect().get_secret_value(SecretId=f"{self.prefix}/signing")
            self._signing.append(found["SecretString"].encode())
        return self._signing[0]

    def _read(self, name: str) -> Credentials | None:
        client = self.connect()
        try:
            return json.loads(client.get_secret_value(SecretId=name)["SecretString"])
        except client.exceptions.ResourceNotFoundException:
            return None
