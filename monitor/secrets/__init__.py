"""What must not be shown as it is: secret values, redaction, password hashes, characters that cannot be seen."""
