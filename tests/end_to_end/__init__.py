"""The whole path of a request: gateway, functions under the emulator, local AWS, writable fake CRMs."""
